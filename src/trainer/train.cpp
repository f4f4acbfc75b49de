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

// Rows without a label, where labels are learned; how many these were.
Result<std::size_t> drop_what_teaches_nothing(const Pipeline& pipeline, Rows& rows) {
  if (!learns_labels(pipeline.train.recipe)) return std::size_t{0};
  const std::size_t dropped = drop_rows_without_a_label(rows);
  if (dropped > 0 && rows.rows() == 0)
    return fail(Code::invalid, "there is no row to train on: no row has a label, and the recipe '" +
                                   std::string(name_of(pipeline.train.recipe)) + "' learns labels");
  return dropped;
}

// A figure of rows that were fitted says little, and nothing else would give that away. A command splits by itself.
void tell_of_validation(const wire::Job& job, const Pipeline& pipeline, const Rows& rows, Json& lineage) {
  if (pipeline.train.recipe == Recipe::command || !split_by_content(rows).validates_fitted) return;
  lineage["validated_on_fitted_rows"] = true;
  spdlog::warn("{}: {} rows are too few to keep some apart: the validation figure is of rows that were fitted",
               job.id.value, rows.rows());
}

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
    const auto add_to = [&](ModelOutput& model, const std::string& whose) {
      const Result<> made = add_int8(rows, model);
      if (made) return;
      spdlog::warn("no export {}: {}", whose, made.error().context);
      output.lineage["exports_left_out"][whose] = made.error().context;
    };
    const std::string name(name_of(format));
    add_to(output, name);
    if (output.fallback) add_to(*output.fallback, name + " of the fallback");
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

Result<TrainOutcome> train(const wire::Job& job, const Pipeline& pipeline, Rows rows,
                           const std::optional<Bytes>& base_onnx, const std::string& trainer, const Clock& clock,
                           const OnProgress& progress, const CommandHost* commands) {
  const Time began = clock.now();
  const std::size_t without_a_number = drop_rows_without_a_number(rows);
  HONE_TRY(const std::size_t without_a_label, drop_what_teaches_nothing(pipeline, rows));
  HONE_TRY(RecipeOutput output, run_recipe({job, pipeline, rows, base_onnx, progress, commands}));
  tell_of_validation(job, pipeline, rows, output.lineage);
  add_exports(pipeline.exports, rows, output);
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
  outcome.message.lineage["rows"] = rows.rows();
  if (without_a_number > 0) outcome.message.lineage["rows_without_a_number"] = without_a_number;
  if (without_a_label > 0) outcome.message.lineage["rows_without_a_label"] = without_a_label;
  outcome.message.seconds_train = std::chrono::duration<double>(clock.now() - began).count();
  return outcome;
}

}  // namespace hone::trainer
