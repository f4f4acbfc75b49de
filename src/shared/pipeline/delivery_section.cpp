// [export] and [delivery]: which files a release has, and how they reach devices.
#include <algorithm>
#include <charconv>

#include "shared/pipeline/sections.hpp"

namespace hone {
namespace {

constexpr std::int64_t kWireBytesMin = 64;

std::optional<double> parse_percent(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  double percent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  if (error != std::errc() || end != text.data() + text.size() || !(percent > 0 && percent <= 100)) return std::nullopt;
  return percent / 100;
}

void read_wire_budget(TomlSection& section, const Pipeline& pipeline, DeliveryRules& delivery) {
  std::string budget = "none";
  section.text("wire_budget", budget, 32);
  section.number("wire_keep", delivery.wire_keep, 0, 1);
  if (section.failed() || budget == "none") return;
  if (!is_network(pipeline.train.recipe) || !learns_labels(pipeline.train.recipe))
    return section.fail_at("wire_budget", "is for recipes with layers that learn labels, not for '" +
                                              std::string(name_of(pipeline.train.recipe)) + "'; use \"none\"");
  if (const auto share = parse_percent(budget)) {
    delivery.wire_budget = WireBudget{*share, 0};
    return;
  }
  const auto bytes = parse_size(budget);
  if (!bytes || *bytes < kWireBytesMin)
    return section.fail_at("wire_budget",
                           "must be \"none\", a share of the full file such as \"1%\", or a size such as "
                           "\"8 KiB\" of at least 64 bytes");
  delivery.wire_budget = WireBudget{0, *bytes};
}

}  // namespace

void read_export(TomlSection section, const Pipeline& pipeline, ExportRules& exports) {
  std::vector<std::string> names;
  section.number("may_lose", exports.may_lose, 0, 1);
  section.strings("formats", names, 16);
  if (section.failed() || !section.has("formats")) return;
  exports.formats.clear();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool int8 = names[i] == name_of(ExportFormat::onnx_int8);
    if (names[i] == "command")
      return section.fail_at("formats",
                             "asks for the format 'command', which this version does not have yet; use 'onnx'", i);
    if (!int8 && names[i] != name_of(ExportFormat::onnx))
      return section.fail_at("formats", "must hold 'onnx' and 'onnx-int8', not '" + names[i].substr(0, 64) + "'", i);
    if (int8 && !is_network(pipeline.train.recipe))
      return section.fail_at("formats",
                             "asks for 'onnx-int8', which is for recipes with layers, not for '" +
                                 std::string(name_of(pipeline.train.recipe)) + "'",
                             i);
    const auto format = int8 ? ExportFormat::onnx_int8 : ExportFormat::onnx;
    if (std::find(exports.formats.begin(), exports.formats.end(), format) != exports.formats.end())
      return section.fail_at("formats", "names '" + names[i] + "' twice", i);
    exports.formats.push_back(format);
  }
  if (exports.formats.empty() || exports.formats.front() != ExportFormat::onnx)
    section.fail_at("formats", "must begin with 'onnx', from which the others are made: [\"onnx\"]");
}

void read_delivery(TomlSection section, const Pipeline& pipeline, DeliveryRules& delivery) {
  section.integer("delta_bases", delivery.delta_bases, 0, 64);
  read_wire_budget(section, pipeline, delivery);
  std::string check_every;
  if (section.has("check_every")) section.text("check_every", check_every, 64);
  if (check_every == "never") {
    delivery.check_every.reset();
  } else if (section.has("check_every")) {
    section.duration("check_every", delivery.check_every.emplace());
    if (!section.failed() && *delivery.check_every < std::chrono::seconds(1))
      section.fail_at("check_every", "must be at least \"1s\", or \"never\"");
  }
  std::vector<std::int64_t> steps;
  section.integers("rollout", steps, 32);
  if (section.failed() || !section.has("rollout")) return;
  delivery.rollout.clear();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i] < 1 || steps[i] > 100 || (i > 0 && steps[i] <= steps[i - 1]))
      return section.fail_at("rollout", "must hold rising percentages from 1 to 100", i);
    delivery.rollout.push_back(static_cast<int>(steps[i]));
  }
  if (delivery.rollout.empty() || delivery.rollout.back() != 100)
    section.fail_at("rollout", "must end with 100, the whole fleet");
}

}  // namespace hone
