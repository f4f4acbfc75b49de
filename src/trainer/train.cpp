#include "trainer/train.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <string>
#include <utility>

#include "base/code_version.hpp"
#include "base/hash.hpp"
#include "trainer/quantise/quantise.hpp"
#include "trainer/recipe.hpp"

namespace hone::trainer {
namespace {

Result<RecipeOutput> run_recipe(const RecipeInput& input) {
  switch (input.pipeline.train.recipe) {
    case Recipe::cnn:
    case Recipe::mlp: return train_network(input);
    case Recipe::kmeans: return train_kmeans(input);
    case Recipe::autoencoder: return train_autoencoder(input);
    case Recipe::command: return train_command(input);
  }
  return fail(Code::invalid, "this trainer does not know the recipe " + std::string(name_of(input.pipeline.train.recipe)));
}

Result<> add_int8(const Rows& rows, ModelOutput& output) {
  HONE_TRY(const auto runtime, model::make_onnx_runtime());
  HONE_TRY(auto file, quantise_onnx(output.onnx, rows, *runtime));
  output.exports.push_back({std::string(wire::kInt8Format), std::move(file)});
  return {};
}

// What the pipeline asks for beside the plain file, of every model that is handed in. One that cannot be made is no reason
// to lose the model: it is left out, and the lineage says why.
void add_exports(const ExportRules& rules, const Rows& rows, RecipeOutput& output) {
  for (const ExportFormat format : rules.formats) {
    if (format != ExportFormat::onnx_int8) continue;
    Result<> made = add_int8(rows, output);
    if (made && output.fallback) made = add_int8(rows, *output.fallback);
    if (made) continue;
    spdlog::warn("no export {}: {}", name_of(format), made.error().context);
    output.lineage["exports_left_out"][std::string(name_of(format))] = made.error().context;
  }
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
                           const OnProgress& progress, const CommandHost* commands) {
  const Time began = clock.now();
  const std::optional<Rows> kept = finite_rows(rows);
  const Rows& finite = kept ? *kept : rows;
  const std::optional<Rows> labelled = learns_labels(pipeline.train.recipe) ? labelled_rows(finite) : std::nullopt;
  const Rows& used = labelled ? *labelled : finite;
  HONE_TRY(RecipeOutput output, run_recipe({job, pipeline, used, base_onnx, progress, commands}));
  add_exports(pipeline.exports, used, output);
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
  if (job.base_release.value != 0) outcome.message.lineage["base_release"] = job.base_release.value;
  outcome.message.lineage["hone"] = code_version();
  outcome.message.lineage["rows"] = used.rows();
  if (kept) outcome.message.lineage["rows_without_a_number"] = rows.rows() - finite.rows();
  if (labelled) outcome.message.lineage["rows_without_a_label"] = finite.rows() - used.rows();
  outcome.message.seconds_train = std::chrono::duration<double>(clock.now() - began).count();
  return outcome;
}

}  // namespace hone::trainer
