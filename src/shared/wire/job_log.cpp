#include "shared/wire/job_log.hpp"

#include <algorithm>
#include <utility>

#include "shared/wire/fields.hpp"

namespace hone::wire {

std::string log_text(std::string_view text) {
  std::string line = clip(text, kLogTextBytesMax);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

Json to_json(const LogLine& line) {
  return {{"number", line.number}, {"at", unix_ms(line.at)}, {"text", log_text(line.text)}};
}

Result<std::vector<LogLine>> log_lines_from(const Json& heartbeat) {
  std::vector<LogLine> lines;
  Fields fields("heartbeat", heartbeat);
  if (!fields.has("log")) return lines;
  const Json* array = fields.array("log", kLogLinesMax);
  if (array == nullptr) return fields.finish(std::move(lines));
  for (const Json& one : *array) {
    LogLine line;
    Fields of_line("log line", one);
    of_line.integer("number", line.number, 1, kCountMax);
    of_line.time("at", line.at);
    of_line.text("text", line.text, kLogTextBytesMax);
    HONE_TRY(line, of_line.finish(std::move(line)));
    line.text = log_text(line.text);  // whoever prints it must not be told to clear a terminal
    lines.push_back(std::move(line));
  }
  return fields.finish(std::move(lines));
}

}  // namespace hone::wire
