#include "trainer/command/metrics_file.hpp"

#include <cmath>
#include <string>
#include <utility>

namespace hone::trainer {
namespace {

constexpr const char* kMetric = "validation_metric";

tl::unexpected<Error> refused(const std::string& why) {
  return fail(Code::invalid, "metrics.json " + why);
}

}  // namespace

Result<CommandMetrics> metrics_from(ByteView file) {
  if (file.size() > kMetricsBytesMax) return refused("is longer than " + std::to_string(kMetricsBytesMax) + " bytes");
  Result<Json> json = parse_json(file);
  if (!json) {
    const std::string_view text = as_text(file);
    // What Python's json module writes of a float that is none.
    if (text.find("NaN") != std::string_view::npos || text.find("Infinity") != std::string_view::npos)
      return refused("holds NaN or Infinity, which is no JSON: the training went wrong, or null was meant");
    return refused("cannot be read: " + json.error().context);
  }
  if (!json->is_object()) return refused("must be an object, {\"validation_metric\": 0.97}");
  const auto found = json->find(kMetric);
  if (found == json->end() || !found->is_number())
    return refused("lacks the number \"validation_metric\": how good the model is on rows that it was not fitted to");
  CommandMetrics metrics;
  metrics.validation_metric = found->get<double>();
  if (!std::isfinite(metrics.validation_metric)) return refused("has a \"validation_metric\" that is no finite number");
  json->erase(kMetric);
  metrics.others = std::move(*json);
  return metrics;
}

}  // namespace hone::trainer
