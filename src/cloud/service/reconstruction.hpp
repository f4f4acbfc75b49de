// How much of each holdout row an autoencoder gives back: what the metric `reconstruction` compares.
#pragma once

#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "cloud/service/answers.hpp"

namespace hone::cloud {

// The output in which an autoencoder gives a row back, in the units of raw * scale.
constexpr const char* kReconstructionOutput = "reconstruction";

// One figure a holdout row, in order: 1 - mean over the elements of ((x - r) / s)^2, not below -1. s is the element's
// spread among the holdout rows, half of the range from their 10% to their 90% quantile: a ruler that comes from the
// data alone, so that two models of one comparison are measured by the same one, whatever they normalise by.
// Errors as for ask().
[[nodiscard]] Result<std::vector<double>> ask_reconstruction(const Asking& asking, const ModelHash& model);

}  // namespace hone::cloud
