#include "shared/pipeline/pipeline.hpp"

#include "shared/pipeline/sections.hpp"

namespace hone {
namespace {

void read_pipeline(const toml::table& root, TomlErrors& errors, Pipeline& pipeline) {
  TomlSection file(&root, "", root.source(), errors,
                   {"pipeline", "signal", "collect", "train", "gate", "export", "delivery"});
  for (const std::string_view required : {"pipeline", "signal", "train", "gate"})
    if (!file.has(required)) return errors.add({1, 1}, "the section [" + std::string(required) + "] is missing");
  const auto section = [&](std::string_view name, std::initializer_list<std::string_view> keys) {
    return TomlSection(file.table(name), std::string(name), root.source(), errors, keys);
  };

  TomlSection head = section("pipeline", {"name"});
  head.require("name");
  head.text("name", pipeline.name.value, 256);
  if (!head.failed() && !is_plain_name(pipeline.name.value))
    head.fail_at("name", "must be 1 to 64 of a-z, 0-9, '_' and '-', starting with a letter");

  read_signal(section("signal", {"shape", "dtype", "scale", "labels", "rate_hz", "stream"}), errors, pipeline);
  read_collect(section("collect", {"until", "audit_fraction", "resume_on_drift", "daily_bytes", "flush_after"}),
               pipeline.collect);
  read_train(section("train",
                     {"recipe",      "layers",          "epochs",    "batch_size", "learning_rate",  "first_at_samples",
                      "when",        "cooldown",        "clusters",  "restarts",   "clip",           "trim",
                      "min_cluster", "silhouette_rows", "spectrum",  "threshold",  "alarms_per_day", "start",
                      "patience",    "balance",         "normalise", "augment",    "command",        "eval",
                      "timeout"}),
             pipeline, errors, pipeline.train);
  read_gate(section("gate", {"metric", "goal", "first_goal", "margin", "confidence", "holdout", "no_slice_worse_than"}),
            pipeline, pipeline.gate);
  read_export(section("export", {"formats", "may_lose"}), pipeline, pipeline.exports);
  read_delivery(section("delivery", {"delta_bases", "wire_budget", "wire_keep", "rollout", "check_every"}), pipeline,
                pipeline.delivery);
}

}  // namespace

std::string_view name_of(Recipe recipe) {
  switch (recipe) {
    case Recipe::cnn: return "cnn";
    case Recipe::mlp: return "mlp";
    case Recipe::autoencoder: return "autoencoder";
    case Recipe::kmeans: return "kmeans";
    case Recipe::command: return "command";
  }
  return "";
}

std::string_view name_of(Metric metric) {
  switch (metric) {
    case Metric::accuracy: return "accuracy";
    case Metric::f1: return "f1";
    case Metric::auc: return "auc";
    case Metric::silhouette: return "silhouette";
    case Metric::score: return "score";
    case Metric::reconstruction: return "reconstruction";
  }
  return "";
}

std::string_view name_of(Start start) {
  switch (start) {
    case Start::warm: return "warm";
    case Start::fresh: return "fresh";
    case Start::best: return "best";
  }
  return "";
}

std::string_view name_of(ExportFormat format) {
  switch (format) {
    case ExportFormat::onnx: return "onnx";
    case ExportFormat::onnx_int8: return "onnx-int8";
  }
  return "";
}

bool learns_labels(Recipe recipe) {
  return recipe == Recipe::cnn || recipe == Recipe::mlp;
}

bool is_network(Recipe recipe) {
  return learns_labels(recipe) || recipe == Recipe::autoencoder;
}

Result<Pipeline> parse_pipeline(std::string_view toml_text, std::string_view file) {
  if (toml_text.size() > kPipelineBytesMax)
    return fail(Code::invalid, std::string(file) + ": a pipeline file has at most 262144 bytes");
  TomlErrors errors(file);
  Pipeline pipeline;
  try {
    const toml::table root = toml::parse(toml_text, file);
    read_pipeline(root, errors, pipeline);
  } catch (const toml::parse_error& error) {
    errors.add(error.source().begin, "not valid TOML: " + std::string(error.description()));
  }
  if (errors.any()) return fail(errors.first());
  pipeline.toml = toml_text;
  return pipeline;
}

}  // namespace hone
