// What a command says: its output as lines, progress among them and a log of bounded size that is always UTF-8; and
// its metrics.json.
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "trainer/command/metrics_file.hpp"
#include "trainer/command/output_lines.hpp"
#include "trainer/command/progress_line.hpp"

namespace {

using namespace hone;
using namespace hone::trainer;

void hear(ByteView output) {
  wire::ProgressPoint last;
  LogTail log;
  OutputLines lines([&](std::string_view line) {
    if (line.empty() || line.size() > kOutputLineBytesMax) std::abort();
    if (const auto point = progress_from(line, last)) {
      // What the cloud's reader of heartbeats accepts.
      if (!wire::progress_point_from(wire::to_json(*point))) std::abort();
      last = *point;
    } else {
      log.add(line);
    }
  });
  // In pieces as a pipe may give them.
  const std::string_view text = as_text(output);
  for (std::size_t at = 0; at < text.size(); at += 7) lines.add(text.substr(at, 7));
  lines.finish();
  if (log.text().size() > kLogBytesMax) std::abort();
  const Json json = log.text();
  if (json.dump().empty()) std::abort();  // throws for what is not UTF-8
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hear(ByteView(data, size));
  const auto metrics = metrics_from(ByteView(data, size));
  if (metrics && (!std::isfinite(metrics->validation_metric) || !metrics->others.is_object())) std::abort();
  return 0;
}
