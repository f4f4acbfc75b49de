// How much of each holdout row an autoencoder gives back: what the metric `reconstruction` compares.
#pragma once

#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "cloud/service/answers.hpp"

namespace hone::cloud {

// The output in which an autoencoder gives a row back, in the units of raw * scale.
constexpr const char* kReconstructionOutput = "reconstruction";

// One figure a holdout row, in order, as shared/metrics/reconstruction.hpp has it, the spreads those of the holdout.
// Errors as for ask().
[[nodiscard]] Result<std::vector<double>> ask_reconstruction(const Asking& asking, const ModelHash& model);

}  // namespace hone::cloud
