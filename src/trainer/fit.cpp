#include "trainer/fit.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/version.h>

#include "trainer/learn/classify.hpp"
#include "trainer/learn/freed_memory.hpp"
#include "trainer/learn/loop.hpp"
#include "trainer/learn/training_data.hpp"
#include "trainer/libtorch_wall.hpp"
#include "trainer/network.hpp"
#include "trainer/row_tensors.hpp"
#include "trainer/threads.hpp"

namespace hone::trainer {
namespace {

Result<Fitted> fit_unguarded(const Plan& plan, const TrainRules& rules, const Rows& rows,
                             const std::optional<Weights>& start, std::uint64_t seed, const OnProgress& progress) {
  keep_freed_memory();
  at::set_num_threads(threads_for(static_cast<double>(plan.multiplications()) * static_cast<double>(rules.batch_size)));
  at::manual_seed(seed);
  const at::Device device = best_device();
  Network network(plan, device);
  if (start) HONE_CHECK(network.load(*start));
  const TrainingData data = training_data(rows, device);
  HONE_TRY(Fitted fitted, run_loop(network, Classify(data), data.fit, rules, progress));
  fitted.device = device.is_cuda() ? "cuda" : "cpu";
  return fitted;
}

}  // namespace

Result<Fitted> fit(const Plan& plan, const TrainRules& rules, const Rows& rows, const std::optional<Weights>& start,
                   std::uint64_t seed, const OnProgress& progress) {
  if (rows.rows() == 0) return fail(Code::invalid, "there is no labelled row to train on");
  if (!(rows.signal == plan.signal) || rows.x.size() != rows.rows() * plan.signal.sample_bytes())
    return fail(Code::invalid, "the rows do not fit the signal of the pipeline");
  for (const std::int64_t label : rows.y)
    if (label < 0 || label >= plan.width)
      return fail(Code::invalid, "a row has the label index " + std::to_string(label) + ", but there are " +
                                     std::to_string(plan.width) + " labels");
  if (rules.batch_size < 1 || rules.epochs < 1 || !(rules.learning_rate > 0))
    return fail(Code::invalid, "train: batch_size, epochs and learning_rate must be above zero");
  return behind_wall([&] { return fit_unguarded(plan, rules, rows, start, seed, progress); });
}

std::string libtorch_version() {
  return TORCH_VERSION;
}

}  // namespace hone::trainer
