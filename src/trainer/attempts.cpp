#include "trainer/attempts.hpp"

#include <spdlog/spdlog.h>

#include <utility>

#include "trainer/curve.hpp"
#include "trainer/onnx_reader.hpp"

namespace hone::trainer {
namespace {

struct Base {
  Weights weights;
  std::optional<InputScale> scale;
};

Result<Base> base_of(const RecipeInput& input, const Plan& plan) {
  if (!input.job.base || !input.base_onnx) return fail(Code::not_found, "no base model");
  Base base;
  HONE_TRY(base.weights, read_weights(*input.base_onnx, plan));
  HONE_TRY(base.scale, read_input_scale(*input.base_onnx, plan));
  if (base.scale) base.scale->clip = plan.input_scale->clip;  // the recipe's, and not learned
  return base;
}

Result<Attempt> warm(const RecipeInput& input, Plan plan, Base base, const FitOnce& fit_once,
                     const OnProgress& progress) {
  plan.input_scale = std::move(base.scale);
  HONE_TRY(Fitted fitted, fit_once(plan, std::move(base.weights), progress));
  return Attempt{std::move(plan), std::move(fitted), input.job.base->hex(), {}};
}

Result<Attempt> fresh(const Plan& plan, const FitOnce& fit_once, const OnProgress& progress) {
  HONE_TRY(Fitted fitted, fit_once(plan, std::nullopt, progress));
  return Attempt{plan, std::move(fitted), {}, {}};
}

// On a tie the deployed model's weights: the update is smaller.
Result<Attempt> better_of_both(const RecipeInput& input, const Plan& plan, Base base, const FitOnce& fit_once) {
  HONE_TRY(Attempt first, warm(input, plan, std::move(base), fit_once, part_of_training(input.progress, 0, 0.5)));
  HONE_TRY(Attempt second, fresh(plan, fit_once, part_of_training(input.progress, 0.5, 1)));
  const Json both = {{"validation_warm", first.fitted.validation_metric},
                     {"validation_fresh", second.fitted.validation_metric}};
  const bool fresh_wins = second.fitted.validation_metric > first.fitted.validation_metric;
  Attempt& better = fresh_wins ? second : first;
  better.lineage.update(both);
  return std::move(better);
}

}  // namespace

Result<Attempt> fit_from_start(const RecipeInput& input, const Plan& plan, const FitOnce& fit_once) {
  const Start rule = input.pipeline.train.start;
  std::string from_scratch = "the recipe begins afresh";
  std::optional<Base> base;
  if (rule != Start::fresh) {
    auto found = base_of(input, plan);
    if (found)
      base = std::move(*found);
    else
      from_scratch = found.error().context;
    if (!base && input.job.base) spdlog::warn("{}: starts from scratch: {}", input.job.id.value, from_scratch);
  }
  Result<Attempt> attempt = !base                 ? fresh(plan, fit_once, input.progress)
                            : rule == Start::best ? better_of_both(input, plan, std::move(*base), fit_once)
                                                  : warm(input, plan, std::move(*base), fit_once, input.progress);
  if (!attempt) return attempt;
  const bool is_warm = !attempt->base.empty();
  attempt->lineage["start"] = name_of(rule);
  attempt->lineage["warm_start"] = is_warm;
  if (is_warm)
    attempt->lineage["base"] = attempt->base;
  else
    attempt->lineage["started_from_scratch"] = base ? "it was better on the validation rows" : from_scratch;
  attempt->lineage["device"] = attempt->fitted.device;
  attempt->lineage["epochs"] = attempt->fitted.curve.size();
  attempt->lineage["epoch_chosen"] = attempt->fitted.epoch;
  attempt->lineage["steps"] = attempt->fitted.steps;
  attempt->lineage["curve"] = curve_json(attempt->fitted.curve);
  attempt->lineage["libtorch"] = libtorch_version();
  return attempt;
}

}  // namespace hone::trainer
