// How many threads libtorch gets.
#pragma once

#include <algorithm>
#include <thread>

namespace hone::trainer {

// A core is worth waking only for a fair piece of work: below it, threads wait for one another for
// longer than they compute, and on a busy machine for very much longer.
inline constexpr double kMultiplicationsPerThread = 4e6;

[[nodiscard]] inline int threads_for(double multiplications) {
  const double cores = std::max(1u, std::thread::hardware_concurrency());
  return static_cast<int>(std::clamp(multiplications / kMultiplicationsPerThread, 1.0, cores));
}

}  // namespace hone::trainer
