#include "trainer/train.hpp"

#include <chrono>
#include <string>
#include <utility>

#include "base/hash.hpp"
#include "trainer/recipe.hpp"

namespace hone::trainer {
namespace {

Result<RecipeOutput> run_recipe(const RecipeInput& input) {
  switch (input.pipeline.train.recipe) {
    case Recipe::cnn:
    case Recipe::mlp: return train_network(input);
    case Recipe::kmeans: return train_kmeans(input);
    case Recipe::autoencoder:
    case Recipe::command: break;
  }
  return fail(Code::invalid, "this trainer does not know the recipe " + std::string(name_of(input.pipeline.train.recipe)));
}

}  // namespace

Result<TrainOutcome> train(const wire::Job& job, const Pipeline& pipeline, const Rows& rows,
                           const std::optional<Bytes>& base_onnx, const std::string& trainer, const Clock& clock,
                           const OnProgress& progress) {
  const Time began = clock.now();
  const std::optional<Rows> kept = finite_rows(rows);
  const Rows& used = kept ? *kept : rows;
  HONE_TRY(RecipeOutput output, run_recipe({job, pipeline, used, base_onnx, progress}));
  TrainOutcome outcome;
  outcome.message.model = ModelHash{sha256(output.onnx)};
  outcome.onnx = std::move(output.onnx);
  outcome.message.validation_metric = output.validation_metric;
  outcome.message.lineage = std::move(output.lineage);
  outcome.message.lineage["recipe"] = name_of(pipeline.train.recipe);
  outcome.message.lineage["seed"] = job.seed;
  outcome.message.lineage["trainer"] = trainer;
  outcome.message.lineage["hone"] = HONE_VERSION;
  outcome.message.lineage["rows"] = used.rows();
  if (kept) outcome.message.lineage["rows_without_a_number"] = rows.rows() - used.rows();
  outcome.message.seconds_train = std::chrono::duration<double>(clock.now() - began).count();
  return outcome;
}

}  // namespace hone::trainer
