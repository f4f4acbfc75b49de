// metrics.json, which a command leaves beside its model:
//
//   {"validation_metric": 0.97, "trees": 40, ...}
//
// `validation_metric` must be there, a finite number; whatever else stands in it goes into the job's lineage.
#pragma once

#include <cstddef>

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace hone::trainer {

constexpr std::size_t kMetricsBytesMax = std::size_t{64} * 1024;

struct CommandMetrics {
  double validation_metric = 0;
  Json others = Json::object();  // all other keys
};

// `invalid`, with a sentence, for what is larger, no JSON object, or without that number.
[[nodiscard]] Result<CommandMetrics> metrics_from(ByteView file);

}  // namespace hone::trainer
