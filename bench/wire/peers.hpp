// How others make an update small, for the benchmark beside training for the wire.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "shared/pipeline/pipeline.hpp"
#include "trainer/plan.hpp"
#include "trainer/rows.hpp"
#include "trainer/weights.hpp"

namespace hone::bench {

struct PeerTask {  // borrowed
  const trainer::Plan& plan;
  const TrainRules& rules;  // learning_rate: the peer's own
  const trainer::Rows& rows;
  const trainer::Weights& deployed;
  std::uint64_t seed = 0;
};

struct PeerUpdate {
  trainer::Weights weights;
  std::uint64_t bytes = 0;  // as that method sends it
  double validation_metric = 0;
};

// Adaptive model streaming (Khani et al., ICCV 2021): the 5% of the coordinates that Adam would move most
// are found in a first pass, then only these are trained. Sent as a bit mask, as small as its entropy,
// and half-precision values.
[[nodiscard]] Result<PeerUpdate> adaptive_streaming(const PeerTask& task);

// Sparse ternary compression (Sattler et al., IEEE TNNLS 2019): after each epoch the largest part of what
// moved, what was kept back before included, is sent as a sign and one size a tensor; the rest is kept
// back. Positions are Golomb coded. Bytes are those of all epochs, about as many as `bytes_wanted`.
[[nodiscard]] Result<PeerUpdate> sparse_ternary(const PeerTask& task, double bytes_wanted);

// The free update on a lattice of step 2^-scale, rounded after training. For our coder.
[[nodiscard]] trainer::Weights quantised_after(const trainer::Weights& deployed, const trainer::Weights& free, std::int32_t scale);

}  // namespace hone::bench
