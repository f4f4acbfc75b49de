#include "trainer/train.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "base/hash.hpp"
#include "trainer/onnx_reader.hpp"
#include "trainer/onnx_writer.hpp"
#include "trainer/plan.hpp"

namespace hone::trainer {
namespace {

constexpr std::size_t kCurvePointsMax = 64;

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

// At most kCurvePointsMax points, evenly apart, the last one always among them.
Json curve_json(const std::vector<wire::ProgressPoint>& curve) {
  Json points = Json::array();
  const std::size_t stride = (curve.size() + kCurvePointsMax - 1) / kCurvePointsMax;
  for (std::size_t i = 0; i < curve.size(); ++i) {
    if ((curve.size() - 1 - i) % std::max<std::size_t>(1, stride) != 0) continue;
    points.push_back(
        {{"epoch", curve[i].epoch}, {"loss", curve[i].loss}, {"validation_metric", curve[i].validation_metric}});
  }
  return points;
}

Json lineage_json(const wire::Job& job, const Start& start, const Fitted& fitted, const Rows& rows,
                  const std::string& trainer) {
  Json lineage = {{"seed", job.seed},
                  {"trainer", trainer},
                  {"hone", HONE_VERSION},
                  {"libtorch", libtorch_version()},
                  {"device", fitted.device},
                  {"rows", rows.rows()},
                  {"epochs", fitted.curve.size()},
                  {"epoch_chosen", fitted.epoch},
                  {"steps", fitted.steps},
                  {"warm_start", start.weights.has_value()},
                  {"curve", curve_json(fitted.curve)}};
  if (start.weights)
    lineage["base"] = job.base->hex();
  else
    lineage["started_from_scratch"] = start.note;
  return lineage;
}

}  // namespace

Result<TrainOutcome> train(const wire::Job& job, const Pipeline& pipeline, const Rows& rows,
                           const std::optional<Bytes>& base_onnx, const std::string& trainer, const Clock& clock,
                           const OnProgress& progress) {
  const Time began = clock.now();
  HONE_TRY(const Plan plan, plan_network(pipeline.signal, pipeline.train.layers));
  const Start start = start_from(job.base ? base_onnx : std::nullopt, plan);
  if (job.base && !start.weights) spdlog::warn("{}: starts from scratch: {}", job.id.value, start.note);
  HONE_TRY(Fitted fitted, fit(plan, pipeline.train, rows, start.weights, job.seed, progress));

  OnnxLineage lineage;
  lineage.pipeline = pipeline.name;
  lineage.recipe = pipeline.recipe_fingerprint();
  lineage.dataset = job.dataset.hex();
  if (start.weights) lineage.base = job.base->hex();
  lineage.seed = job.seed;
  TrainOutcome outcome;
  HONE_TRY(outcome.onnx, write_onnx(plan, fitted.weights, lineage));
  outcome.message.model = ModelHash{sha256(outcome.onnx)};
  outcome.message.validation_metric = fitted.validation_metric;
  outcome.message.lineage = lineage_json(job, start, fitted, rows, trainer);
  outcome.message.seconds_train = std::chrono::duration<double>(clock.now() - began).count();
  return outcome;
}

}  // namespace hone::trainer
