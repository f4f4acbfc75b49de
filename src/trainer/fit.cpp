#include "trainer/fit.hpp"

#include <torch/version.h>

#include "trainer/learn/classify.hpp"
#include "trainer/learn/loop.hpp"
#include "trainer/learn/prepare.hpp"
#include "trainer/learn/training_data.hpp"
#include "trainer/libtorch_wall.hpp"
#include "trainer/network.hpp"

namespace hone::trainer {
namespace {

Result<Fitted> fit_unguarded(const Plan& plan, const TrainRules& rules, const Rows& rows,
                             const std::optional<Weights>& start, std::uint64_t seed, const OnProgress& progress) {
  const at::Device device = prepare_libtorch(plan, rules, seed);
  Network network(plan, device);
  if (start) HONE_CHECK(network.load(*start));
  const TrainingData data = training_data(rows, device);
  HONE_TRY(Fitted fitted, run_loop(network, Classify(data, rules, plan.width), data.fit, rules, progress));
  fitted.device = device.is_cuda() ? "cuda" : "cpu";
  return fitted;
}

}  // namespace

Result<> check_rows(const Plan& plan, const Rows& rows) {
  if (rows.rows() == 0) return fail(Code::invalid, "there is no row to train on that this recipe can learn from");
  if (!(rows.signal == plan.signal) || rows.x.size() != rows.rows() * plan.signal.sample_bytes())
    return fail(Code::invalid, "the rows do not fit the signal of the pipeline");
  return {};
}

Result<Fitted> fit(const Plan& plan, const TrainRules& rules, const Rows& rows, const std::optional<Weights>& start,
                   std::uint64_t seed, const OnProgress& progress) {
  HONE_CHECK(check_rows(plan, rows));
  for (const std::int64_t label : rows.y)
    if (label < 0 || label >= plan.width)
      return fail(Code::invalid, "a row has the label index " + std::to_string(label) + ", but there are " +
                                     std::to_string(plan.width) + " labels");
  if ((rules.augment.shift > 0 || rules.augment.rotate > 0) && plan.signal.shape.size() != 3)
    return fail(Code::invalid, "train.augment moves images: signal.shape must be [channels, height, width]");
  if (rules.batch_size < 1 || rules.epochs < 1 || !(rules.learning_rate > 0))
    return fail(Code::invalid, "train: batch_size, epochs and learning_rate must be above zero");
  return behind_wall([&] { return fit_unguarded(plan, rules, rows, start, seed, progress); });
}

std::string libtorch_version() {
  return TORCH_VERSION;
}

}  // namespace hone::trainer
