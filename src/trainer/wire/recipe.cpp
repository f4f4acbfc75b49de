#include "trainer/wire/recipe.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "shared/delta/encode/hints_file.hpp"
#include "trainer/wire/curve.hpp"
#include "trainer/wire/patch_size.hpp"

namespace hone::trainer::wire_training {
namespace {

std::uint64_t fp32_bytes(const Plan& plan) {
  return static_cast<std::uint64_t>(plan.parameters()) * sizeof(float);
}

Json methods_of(const Update& update) {
  Json methods = Json::object();
  for (const TensorUpdate& change : update) methods[change.tensor] = change.method();
  return methods;
}

struct Tried {
  CurvePoint point;
  Update update;
};

Json points_json(const std::vector<Tried>& tried) {
  Json points = Json::array();
  for (const auto& [point, update] : tried)
    points.push_back({{"budget", point.budget},
                      {"bytes", point.bytes},
                      {"validation_metric", point.validation_metric},
                      {"tensors", methods_of(update)}});
  return points;
}

}  // namespace

Result<Curve> train_for_the_wire(const Wish& wish, const OnProgress& progress) {
  const UpdateFile file{wish.plan, wish.deployed, wish.deployed_onnx, wish.lineage};
  const std::vector<std::uint64_t> budgets = budgets_below(wish.budget_bytes, fp32_bytes(wish.plan));
  std::vector<Tried> tried;
  Distiller distiller({wish.plan, wish.rules, wish.rows, wish.deployed, wish.free.weights, wish.seed},
                      [&](const Update& update) { return file.wire_bytes(update); },
                      [&](wire::ProgressPoint point) {
                        point.progress = (static_cast<double>(tried.size()) + point.progress) / static_cast<double>(budgets.size());
                        return progress(point);
                      });
  HONE_TRY(const double deployed, distiller.deployed_metric());
  const double free = wish.free.validation_metric;

  Curve curve;
  curve.lineage = {{"budget", wish.budget_bytes},
                   {"keep", wish.keep},
                   {"deployed_validation_metric", deployed},
                   {"free_validation_metric", free},
                   {"chosen", nullptr}};
  std::vector<CurvePoint> points;
  for (const std::uint64_t budget : budgets) {
    Result<Distilled> point = distiller.under(budget);
    if (!point && point.error().code == Code::no_space) {
      curve.lineage["stopped"] = point.error().context;
      break;
    }
    if (!point) return fail(point.error().within("training for the wire"));
    tried.push_back({{budget, point->bytes, point->validation_metric}, std::move(point->update)});
    points.push_back(tried.back().point);
    if (keeps(points.back().validation_metric, deployed, free, wish.keep)) continue;
    curve.lineage["stopped"] = "the update under " + std::to_string(budget) + " bytes keeps less of the gain than is asked for";
    break;
  }
  curve.lineage["points"] = points_json(tried);
  const std::optional<std::size_t> chosen = cheapest_that_keeps(points, deployed, free, wish.keep);
  if (!chosen) return curve;
  curve.lineage["chosen"] = *chosen;
  HONE_TRY(Bytes onnx, file.onnx(tried[*chosen].update));
  curve.chosen = Small{std::move(onnx), delta::write_hints(hints_of(tried[*chosen].update)), points[*chosen].validation_metric};
  return curve;
}

}  // namespace hone::trainer::wire_training
