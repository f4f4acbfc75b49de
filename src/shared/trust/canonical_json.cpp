#include "shared/trust/canonical_json.hpp"

#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace hone::trust {
namespace {

constexpr int kDepthMax = 32;

// Watches the parser go by, and remembers the first thing that makes the text ambiguous.
class Watch {
 public:
  bool operator()(int depth, Json::parse_event_t event, const Json& parsed) {
    using Event = Json::parse_event_t;
    if (depth > kDepthMax) return refuse("JSON nests deeper than 32");
    switch (event) {
      case Event::object_start: keys_.emplace_back(); break;
      case Event::object_end:
        if (!keys_.empty()) keys_.pop_back();
        break;
      case Event::key:
        if (!keys_.empty() && !keys_.back().insert(parsed.get_ref<const std::string&>()).second) {
          return refuse("JSON names the key \"" + parsed.get_ref<const std::string&>() + "\" twice");
        }
        break;
      case Event::value:
        if (parsed.is_number_float()) return refuse("JSON holds a number that is not an integer of 64 bits");
        break;
      case Event::array_start:
      case Event::array_end: break;
    }
    return problem_.empty();  // once refused, nothing more is kept
  }

  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  bool refuse(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
    return false;
  }

  std::vector<std::set<std::string>> keys_;  // of the objects that are open
  std::string problem_;
};

void append_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

// Depth is bounded by the parser, or by whoever built the value.
Result<> append(std::string& out, const Json& value) {
  switch (value.type()) {
    case Json::value_t::null: out += "null"; return {};
    case Json::value_t::boolean: out += value.get<bool>() ? "true" : "false"; return {};
    case Json::value_t::number_integer: out += std::to_string(value.get<std::int64_t>()); return {};
    case Json::value_t::number_unsigned: out += std::to_string(value.get<std::uint64_t>()); return {};
    case Json::value_t::string: append_string(out, value.get_ref<const std::string&>()); return {};
    case Json::value_t::array: {
      out += '[';
      bool first = true;
      for (const Json& item : value) {
        if (!first) out += ',';
        first = false;
        HONE_CHECK(append(out, item));
      }
      out += ']';
      return {};
    }
    case Json::value_t::object: {
      out += '{';
      bool first = true;
      // nlohmann's object is a std::map over std::string, whose order compares bytes.
      for (const auto& [key, item] : value.get_ref<const Json::object_t&>()) {
        if (!first) out += ',';
        first = false;
        append_string(out, key);
        out += ':';
        HONE_CHECK(append(out, item));
      }
      out += '}';
      return {};
    }
    case Json::value_t::number_float:
    case Json::value_t::binary:
    case Json::value_t::discarded: break;
  }
  return fail(Code::invalid, "canonical JSON has no form for a number that is not an integer");
}

}  // namespace

Result<Json> parse_strict_json(ByteView text) {
  Watch watch;
  const auto see = [&watch](int depth, Json::parse_event_t event, Json& parsed) { return watch(depth, event, parsed); };
  Json value = Json::parse(text.begin(), text.end(), see, /*allow_exceptions=*/false);
  if (!watch.problem().empty()) return fail(Code::invalid, watch.problem());
  if (value.is_discarded()) return fail(Code::invalid, "not valid JSON");
  return value;
}

Result<std::string> canonical_json(const Json& value) {
  std::string out;
  HONE_CHECK(append(out, value));
  return out;
}

}  // namespace hone::trust
