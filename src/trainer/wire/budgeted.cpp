#include "trainer/wire/budgeted.hpp"

#include <cstdint>
#include <utility>

#include "trainer/onnx_reader.hpp"
#include "trainer/wire/curve.hpp"
#include "trainer/wire/recipe.hpp"

namespace hone::trainer::wire_training {
namespace {

// Of the whole way, the recipe's own training. The budget in bytes is not known before the file is: its weights stand
// for it.
double free_share(const RecipeInput& input, const Plan& plan) {
  const auto& budget = input.pipeline.delivery.wire_budget;
  if (!budget || !input.job.base || !input.base_onnx || input.pipeline.train.balance) return 1;
  const std::int64_t full = plan.parameters() * static_cast<std::int64_t>(sizeof(float));
  const auto points = budgets_below(static_cast<std::uint64_t>(budget->bytes_of(full)), static_cast<std::uint64_t>(full)).size();
  return 1 / (1 + static_cast<double>(points));
}

}  // namespace

OnProgress progress_before(const RecipeInput& input, const Plan& plan) {
  return part_of_training(input.progress, 0, free_share(input, plan));
}

Result<> keep_to_the_budget(const RecipeInput& input, const Plan& plan, const Fitted& free, const std::string& base,
                            RecipeOutput& output) {
  const auto& budget = input.pipeline.delivery.wire_budget;
  if (!budget) return {};
  if (base.empty() || !input.base_onnx) {
    output.lineage["wire"] = {{"not_tried", "training did not begin from a deployed model"}};
    return {};
  }
  // The lesson knows no weights of labels, and accuracies with and without them cannot be compared.
  if (input.pipeline.train.balance) {
    output.lineage["wire"] = {{"not_tried", "train.balance is set: an update for the wire is trained and measured without it"}};
    return {};
  }
  HONE_TRY(const Weights deployed, read_weights(*input.base_onnx, plan));
  const OnnxLineage lineage = input.onnx_lineage(base);
  const auto bytes = static_cast<std::uint64_t>(budget->bytes_of(static_cast<std::int64_t>(output.onnx.size())));
  const Wish wish{plan,    input.pipeline.train, input.rows, deployed, *input.base_onnx,
                  free,    lineage,              input.job.seed, bytes, input.pipeline.delivery.wire_keep};
  HONE_TRY(Curve curve, train_for_the_wire(wish, part_of_training(input.progress, free_share(input, plan), 1)));
  output.lineage["wire"] = std::move(curve.lineage);
  if (!curve.chosen) return {};
  output.fallback = ModelOutput{std::move(output.onnx), {}, std::nullopt, output.validation_metric};
  output.onnx = std::move(curve.chosen->onnx);
  output.hints = std::move(curve.chosen->hints);
  output.validation_metric = curve.chosen->validation_metric;
  return {};
}

}  // namespace hone::trainer::wire_training
