// Rows in main memory, passed over by the threads of this machine. The result does not depend on how many these are.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "trainer/kmeans/cluster_rows.hpp"

namespace hone::trainer {

// Copies `values` [rows, features], finite. `threads`: 0 takes one a core.
[[nodiscard]] std::unique_ptr<ClusterRows> make_cpu_rows(std::span<const float> values, std::int64_t features,
                                                         int threads = 0);

}  // namespace hone::trainer
