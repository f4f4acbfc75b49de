#include <spdlog/spdlog.h>

#include <string>
#include <utility>

#include "trainer/curve.hpp"
#include "trainer/onnx_reader.hpp"
#include "trainer/plan.hpp"
#include "trainer/recipe.hpp"
#include "trainer/wire/budgeted.hpp"

namespace hone::trainer {
namespace {

struct Start {
  std::optional<Weights> weights;
  std::string note;  // why there are none
};

Start start_from(const std::optional<Bytes>& base_onnx, const Plan& plan) {
  if (!base_onnx) return {std::nullopt, "no base model"};
  Result<Weights> weights = read_weights(*base_onnx, plan);
  if (!weights) return {std::nullopt, weights.error().context};
  return {std::move(*weights), {}};
}

}  // namespace

Result<RecipeOutput> train_network(const RecipeInput& input) {
  const wire::Job& job = input.job;
  const TrainRules& rules = input.pipeline.train;
  HONE_TRY(const Plan plan, plan_network(input.pipeline.signal, rules.layers));
  const Start start = start_from(job.base ? input.base_onnx : std::nullopt, plan);
  if (job.base && !start.weights) spdlog::warn("{}: starts from scratch: {}", job.id.value, start.note);
  HONE_TRY(const Fitted fitted, fit(plan, rules, input.rows, start.weights, job.seed, wire_training::progress_before(input, plan)));

  RecipeOutput output;
  HONE_TRY(output.onnx, write_onnx(plan, fitted.weights, input.onnx_lineage(start.weights ? job.base->hex() : "")));
  output.validation_metric = fitted.validation_metric;
  output.lineage = {{"libtorch", libtorch_version()},
                    {"device", fitted.device},
                    {"epochs", fitted.curve.size()},
                    {"epoch_chosen", fitted.epoch},
                    {"steps", fitted.steps},
                    {"warm_start", start.weights.has_value()},
                    {"curve", curve_json(fitted.curve)}};
  if (start.weights)
    output.lineage["base"] = job.base->hex();
  else
    output.lineage["started_from_scratch"] = start.note;
  HONE_CHECK(wire_training::keep_to_the_budget(input, plan, fitted, start.weights ? job.base->hex() : "", output));
  return output;
}

}  // namespace hone::trainer
