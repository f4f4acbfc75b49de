// What a recipe is given and what it gives: from rows in memory to an ONNX file in memory.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "shared/pipeline/pipeline.hpp"
#include "shared/wire/messages.hpp"
#include "trainer/command/command_host.hpp"
#include "trainer/fit.hpp"
#include "trainer/onnx_writer.hpp"
#include "trainer/rows.hpp"

namespace hone::trainer {

struct RecipeInput {  // borrowed
  const wire::Job& job;
  const Pipeline& pipeline;
  const Rows& rows;
  const std::optional<Bytes>& base_onnx;  // of the deployed model
  const OnProgress& progress;
  const CommandHost* commands = nullptr;  // null: commands are not run here

  // `base`: hex of the model that the weights began from; empty: from scratch.
  [[nodiscard]] OnnxLineage onnx_lineage(const std::string& base) const {
    return {pipeline.name, pipeline.recipe_fingerprint(), job.dataset.hex(), base, job.seed};
  }
};

struct Export {
  std::string format;  // "onnx-int8"
  Bytes file;
};

struct ModelOutput {
  Bytes onnx;
  std::vector<Export> exports;  // what pipeline.formats asks for beside "onnx"
  std::optional<Bytes> hints;   // delta/encode/hints_file.hpp, for the delta from the base
  double validation_metric = 0;
};

struct RecipeOutput : ModelOutput {
  std::optional<ModelOutput> fallback;  // the gate's second look, see wire::TrainedModel
  Json lineage = Json::object();        // beside what every recipe has
};

[[nodiscard]] Result<RecipeOutput> train_network(const RecipeInput& input);  // cnn, mlp
[[nodiscard]] Result<RecipeOutput> train_autoencoder(const RecipeInput& input);
[[nodiscard]] Result<RecipeOutput> train_kmeans(const RecipeInput& input);
[[nodiscard]] Result<RecipeOutput> train_command(const RecipeInput& input);

}  // namespace hone::trainer
