#include "trainer/attempts.hpp"
#include "trainer/learn/standardise.hpp"
#include "trainer/plan.hpp"
#include "trainer/recipe.hpp"
#include "trainer/wire/budgeted.hpp"

namespace hone::trainer {

Result<RecipeOutput> train_network(const RecipeInput& input) {
  const TrainRules& rules = input.pipeline.train;
  HONE_TRY(Plan plan, plan_network(input.pipeline.signal, rules.layers));
  HONE_CHECK(check_rows(plan, input.rows));
  if (rules.normalise) {
    HONE_TRY(plan.input_scale, standardise(plan, input.rows));
  }
  const OnProgress progress = wire_training::progress_before(input, plan);
  const RecipeInput free_training{input.job, input.pipeline, input.rows, input.base_onnx, progress, input.commands};
  const FitOnce fit_once = [&](const Plan& own, const std::optional<Weights>& start, const OnProgress& told) {
    return fit(own, rules, input.rows, start, input.job.seed, told);
  };
  HONE_TRY(const Attempt attempt, fit_from_start(free_training, plan, fit_once));
  RecipeOutput output;
  HONE_TRY(output.onnx, write_onnx(attempt.plan, attempt.fitted.weights, input.onnx_lineage(attempt.base)));
  output.validation_metric = attempt.fitted.validation_metric;
  output.lineage = attempt.lineage;
  HONE_CHECK(wire_training::keep_to_the_budget(input, attempt.plan, attempt.fitted, attempt.base, output));
  return output;
}

}  // namespace hone::trainer
