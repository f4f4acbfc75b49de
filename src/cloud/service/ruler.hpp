// In which feature space clusterings are measured. A candidate that brings its own normalisation would bring its own
// ruler, and could look better by stretching it. So the space is that of one model, frozen with the first release:
// the ruler. docs/gate.md.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "cloud/service/answers.hpp"

namespace hone::cloud {

// Values that are held at once (128 MiB). Above it a part of the holdout rows stands for all, drawn from the question.
constexpr std::int64_t kFeatureValuesMax = std::int64_t{1} << 25;

struct MeasuredSpace {
  ModelHash ruler;
  std::vector<std::int64_t> rows;  // of the holdout, ascending: those that have finite features
  std::vector<float> features;     // [rows, width], of the ruler
  std::int64_t width = 0;
};

// The oldest of `released` (published models, oldest first) that has features for the dataset's signal; else the
// candidate. When the signal changed, releases before that do not fit any more, and the first one after it takes over.
// `unavailable` when a released model cannot be read.
[[nodiscard]] Result<ModelHash> find_ruler(const Asking& asking, const std::vector<ModelHash>& released,
                                           const ModelHash& candidate);

// Errors as for ask().
[[nodiscard]] Result<MeasuredSpace> measure_space(const Asking& asking, const ModelHash& ruler, std::uint64_t seed);

}  // namespace hone::cloud
