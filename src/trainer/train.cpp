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

// Names a model and takes the files beside it.
void name_files(ModelOutput& output, wire::ModelFiles& files, std::vector<Bytes>& further) {
  files.model = ModelHash{sha256(output.onnx)};
  for (Export& one : output.exports) {
    files.exports.push_back({one.format, ModelHash{sha256(one.file)}});
    further.push_back(std::move(one.file));
  }
  if (output.hints) {
    files.hints = BlobHash{sha256(*output.hints)};
    further.push_back(std::move(*output.hints));
  }
  files.validation_metric = output.validation_metric;
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
  name_files(output, outcome.message, outcome.further);
  outcome.onnx = std::move(output.onnx);
  if (output.fallback) {
    name_files(*output.fallback, outcome.message.fallback.emplace(), outcome.further);
    outcome.further.push_back(std::move(output.fallback->onnx));
  }
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
