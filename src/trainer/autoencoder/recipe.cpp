#include <string>
#include <utility>
#include <vector>

#include "trainer/attempts.hpp"
#include "trainer/autoencoder/anomaly_onnx.hpp"
#include "trainer/autoencoder/reconstruct.hpp"
#include "trainer/learn/loop.hpp"
#include "trainer/learn/prepare.hpp"
#include "trainer/libtorch_wall.hpp"
#include "trainer/recipe.hpp"
#include "trainer/robust_scale.hpp"
#include "trainer/row_tensors.hpp"
#include "trainer/threshold.hpp"

namespace hone::trainer {
namespace {

constexpr std::int64_t kRowsMin = 20;

// From the rows that are fitted; the order of the elements is that of a flattened sample.
InputScale learn_scale(const Plan& plan, const Rows& rows, double clip) {
  const TrainingData data = training_data(rows, at::kCPU);
  const at::Tensor fitted = data.x.index_select(0, data.fit).to(at::kFloat);
  const RobustScale scale = robust_scale(fitted.mul_(static_cast<float>(plan.signal.scale)).flatten(1));
  return {plan.signal.shape, floats_of(scale.center), floats_of(scale.inverse_spread), static_cast<float>(clip)};
}

Result<Fitted> fit_autoencoder(const Plan& plan, const std::vector<float>& ruler, const RecipeInput& input,
                               const std::optional<Weights>& start, const OnProgress& progress) {
  const TrainRules& rules = input.pipeline.train;
  const at::Device device = prepare_libtorch(plan, rules, input.job.seed);
  Network network(plan, device);
  if (start) HONE_CHECK(network.load(*start));
  const TrainingData data = training_data(input.rows, device);
  const Reconstruct objective(data, rules.autoencoder.trim, tensor_of(ruler, device));
  HONE_TRY(Fitted fitted, run_loop(network, objective, data.fit, rules, progress));
  fitted.device = device.is_cuda() ? "cuda" : "cpu";
  return fitted;
}

// Of all rows, anomalies among them: alarms stay within the budget even if every one of them is false.
Result<std::vector<float>> scores_of(const Attempt& attempt, const Rows& rows) {
  Network network(attempt.plan, best_device());
  HONE_CHECK(network.load(attempt.fitted.weights));
  return floats_of(anomaly_scores(network, samples_tensor(rows, best_device())));
}

Result<RecipeOutput> train_unguarded(const RecipeInput& input, Plan plan, double share) {
  plan.input_scale = learn_scale(plan, input.rows, input.pipeline.train.autoencoder.clip);
  const std::vector<float> ruler = plan.input_scale->inverse_spread;
  const FitOnce fit_once = [&](const Plan& own, const std::optional<Weights>& start, const OnProgress& progress) {
    return fit_autoencoder(own, ruler, input, start, progress);
  };
  HONE_TRY(const Attempt attempt, fit_from_start(input, plan, fit_once));
  HONE_TRY(std::vector<float> scores, scores_of(attempt, input.rows));
  const Threshold threshold = threshold_for(std::move(scores), share);
  RecipeOutput output;
  HONE_TRY(output.onnx, write_anomaly_onnx(attempt.plan, attempt.fitted.weights, static_cast<float>(threshold.value),
                                           input.onnx_lineage(attempt.base)));
  output.validation_metric = attempt.fitted.validation_metric;
  output.lineage = attempt.lineage;
  output.lineage["threshold"] = threshold.value;
  output.lineage["threshold_quantile"] = threshold.quantile;
  output.lineage["threshold_extrapolated"] = threshold.extrapolated;
  return output;
}

}  // namespace

Result<RecipeOutput> train_autoencoder(const RecipeInput& input) {
  HONE_TRY(Plan plan, plan_autoencoder(input.pipeline.signal, input.pipeline.train.layers));
  HONE_CHECK(check_rows(plan, input.rows));
  if (static_cast<std::int64_t>(input.rows.rows()) < kRowsMin)
    return fail(Code::invalid, "there are " + std::to_string(input.rows.rows()) + " samples to learn from; at least " +
                                   std::to_string(kRowsMin) + " are needed");
  HONE_TRY(const double share, alarm_share(input.pipeline.train.anomaly, input.pipeline.rate_hz, rows_without_overlap(input.rows)));
  return behind_wall([&] { return train_unguarded(input, std::move(plan), share); });
}

}  // namespace hone::trainer
