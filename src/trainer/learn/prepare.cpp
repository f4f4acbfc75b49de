#include "trainer/learn/prepare.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include "trainer/learn/freed_memory.hpp"
#include "trainer/row_tensors.hpp"
#include "trainer/threads.hpp"

namespace hone::trainer {

at::Device prepare_libtorch(const Plan& plan, const TrainRules& rules, std::uint64_t seed) {
  keep_freed_memory();
  at::set_num_threads(threads_for(static_cast<double>(plan.multiplications()) * static_cast<double>(rules.batch_size)));
  at::manual_seed(seed);
  return best_device();
}

}  // namespace hone::trainer
