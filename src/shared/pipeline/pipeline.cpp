#include "shared/pipeline/pipeline.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

#include "base/json.hpp"
#include "shared/pipeline/layers.hpp"
#include "shared/pipeline/toml_section.hpp"

namespace hone {
namespace {

constexpr std::int64_t kSamplesMax = 1'000'000'000'000;
constexpr std::size_t kLabelsMax = 4096;
constexpr std::int64_t kClustersMax = 256;

void read_signal(TomlSection section, Pipeline& pipeline) {
  wire::Signal& signal = pipeline.signal;
  section.require("shape");
  section.require("dtype");
  section.integers("shape", signal.shape, 4);
  signal.dtype = static_cast<wire::DType>(section.choice("dtype", static_cast<int>(wire::DType::float32), "dtype",
                                                         {{"uint8", static_cast<int>(wire::DType::uint8)},
                                                          {"int8", static_cast<int>(wire::DType::int8)},
                                                          {"int16", static_cast<int>(wire::DType::int16)},
                                                          {"int32", static_cast<int>(wire::DType::int32)},
                                                          {"float32", static_cast<int>(wire::DType::float32)}},
                                                         {}));
  section.number("scale", signal.scale, -1e30, 1e30);
  section.strings("labels", signal.labels, kLabelsMax);
  if (section.has("rate_hz")) section.number("rate_hz", pipeline.rate_hz.emplace(), 1e-9, 1e9);
  if (section.failed()) return;
  // With the bounds on one value checked, what is left is told where it most likely stands.
  if (auto checked = wire::check(wire::Signal{signal.shape, signal.dtype, 1.0, {}}); !checked)
    return section.fail_at("shape", "does not work: " + checked.error().context);
  if (signal.scale == 0) return section.fail_at("scale", "must not be 0");
  if (section.has("labels") && signal.labels.size() < 2)
    return section.fail_at("labels", "must name at least 2 labels; leave it out where nobody labels");
  if (auto checked = wire::check(signal); !checked)
    section.fail_at("labels", "does not work: " + checked.error().context);
}

void read_collect(TomlSection section, CollectRules& collect) {
  collect.until = static_cast<CollectUntil>(section.choice("until", static_cast<int>(CollectUntil::goal), "rule",
                                                           {{"goal", static_cast<int>(CollectUntil::goal)},
                                                            {"always", static_cast<int>(CollectUntil::always)},
                                                            {"never", static_cast<int>(CollectUntil::never)}},
                                                           {}));
  section.size("daily_bytes", collect.daily_bytes);
  section.duration("flush_after", collect.flush_after);
  double audit_fraction = 0;
  section.number("audit_fraction", audit_fraction, 0, 1);
  if (audit_fraction != 0)
    section.fail_at("audit_fraction", "asks for an audit trickle, which this version does not have yet; use 0.0");
  bool resume_on_drift = false;
  section.flag("resume_on_drift", resume_on_drift);
  if (resume_on_drift)
    section.fail_at("resume_on_drift", "asks for drift detection, which this version does not have yet; use false");
}

void read_when(TomlSection section, TrainRules& train) {
  if (section.has("new_samples")) section.integer("new_samples", train.new_samples.emplace(), 1, kSamplesMax);
  if (section.has("every")) {
    section.duration("every", train.every.emplace());
    if (!section.failed() && *train.every < std::chrono::seconds(1))
      section.fail_at("every", "must be at least \"1s\"");
  }
  section.flag("recipe_changed", train.recipe_changed);
  bool drift = false;
  section.flag("drift", drift);
  if (drift) section.fail_at("drift", "asks for drift detection, which this version does not have yet; use false");
}

void read_layers(TomlSection& section, const wire::Signal& signal, TrainRules& train) {
  std::vector<std::string> texts;
  section.strings("layers", texts, kLayersMax);
  if (section.failed()) return;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto layer = parse_layer(texts[i]);
    if (!layer)
      return section.fail_at("layers", "has a mistake in layer " + std::to_string(i + 1) + ": " + layer.error().context,
                             i);
    const bool spatial = layer->kind == Layer::Kind::conv || layer->kind == Layer::Kind::maxpool;
    if (spatial && train.recipe == Recipe::mlp)
      return section.fail_at(
          "layers", "has '" + texts[i].substr(0, 64) + "', which the recipe 'mlp' cannot use; use recipe = \"cnn\"", i);
    train.layers.push_back(*layer);
  }
  if (auto shapes = shapes_of(signal, train.layers); !shapes)
    section.fail_at("layers", "do not fit the signal: " + shapes.error().context);
}

void read_kmeans(TomlSection& section, KMeansRules& kmeans) {
  std::vector<std::int64_t> clusters{kmeans.clusters_min, kmeans.clusters_max};
  section.integers("clusters", clusters, 2);
  section.integer("restarts", kmeans.restarts, 1, 64);
  section.number("clip", kmeans.clip, 0.1, 1e6);
  section.number("trim", kmeans.trim, 0, 0.5);
  section.number("min_cluster", kmeans.min_cluster, 0, 0.5);
  section.integer("silhouette_rows", kmeans.silhouette_rows, 100, 1'000'000);
  section.flag("spectrum", kmeans.spectrum);
  if (section.failed()) return;
  if (clusters.empty() || clusters.front() < 2 || clusters.back() < clusters.front() || clusters.back() > kClustersMax)
    return section.fail_at("clusters", "must be the least and the largest number to try, such as [2, 8], from 2 to 256");
  kmeans.clusters_min = clusters.front();
  kmeans.clusters_max = clusters.back();
  if (kmeans.min_cluster * static_cast<double>(kmeans.clusters_min) > 1)
    section.fail_at("min_cluster", "asks for more than all rows: " + std::to_string(kmeans.clusters_min) +
                                       " clusters cannot each hold so large a share");
}

void read_anomaly(TomlSection& section, std::optional<double> rate_hz, AnomalyRules& anomaly) {
  section.number("threshold", anomaly.threshold, 0.5, 0.999999999);
  if (!section.has("alarms_per_day")) return;
  if (section.has("threshold"))
    return section.fail_at("alarms_per_day", "says the same as threshold; leave one of them out");
  if (!rate_hz) return section.fail_at("alarms_per_day", "needs signal.rate_hz: how many samples a second there are");
  section.number("alarms_per_day", anomaly.alarms_per_day.emplace(), 1e-6, *rate_hz * 86400 / 2);
}

// Keys that only some recipes read: elsewhere they would be ignored in silence.
void refuse_keys(TomlSection& section, Recipe recipe, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys)
    if (section.has(key) && !section.failed())
      section.fail_at(key, "is not for the recipe '" + std::string(name_of(recipe)) + "'");
}

void read_train(TomlSection section, const Pipeline& pipeline, TomlErrors& errors, TrainRules& train) {
  train.recipe = static_cast<Recipe>(section.choice("recipe", static_cast<int>(Recipe::cnn), "recipe",
                                                    {{"cnn", static_cast<int>(Recipe::cnn)},
                                                     {"mlp", static_cast<int>(Recipe::mlp)},
                                                     {"kmeans", static_cast<int>(Recipe::kmeans)}},
                                                    {"autoencoder", "command"}));
  if (section.failed()) return;
  if (train.recipe == Recipe::kmeans) {
    refuse_keys(section, train.recipe, {"layers", "epochs", "batch_size", "learning_rate"});
    read_kmeans(section, train.kmeans);
    read_anomaly(section, pipeline.rate_hz, train.anomaly);
  } else {
    refuse_keys(section, train.recipe,
                {"clusters", "restarts", "clip", "trim", "min_cluster", "silhouette_rows", "spectrum", "threshold",
                 "alarms_per_day"});
    section.require("layers");
    if (pipeline.signal.labels.empty())
      section.fail_at("recipe", "is '" + std::string(name_of(train.recipe)) +
                                    "', which learns labels: name them in signal.labels");
    if (!section.failed()) read_layers(section, pipeline.signal, train);
  }
  section.integer("epochs", train.epochs, 1, 10'000);
  section.integer("batch_size", train.batch_size, 1, 65'536);
  section.number("learning_rate", train.learning_rate, 1e-9, 10);
  section.integer("first_at_samples", train.first_at_samples, 1, kSamplesMax);
  section.duration("cooldown", train.cooldown);
  const toml::table* when = section.table("when");
  read_when(
      TomlSection(when, "train.when", section.source(), errors, {"new_samples", "every", "drift", "recipe_changed"}),
      train);
}

void read_gate(TomlSection section, const Pipeline& pipeline, GateRules& gate) {
  section.require("goal");
  const bool labels = learns_labels(pipeline.train.recipe);
  gate.metric = static_cast<Metric>(
      section.choice("metric", static_cast<int>(labels ? Metric::accuracy : Metric::silhouette), "metric",
                     {{"accuracy", static_cast<int>(Metric::accuracy)},
                      {"f1", static_cast<int>(Metric::f1)},
                      {"auc", static_cast<int>(Metric::auc)},
                      {"silhouette", static_cast<int>(Metric::silhouette)}},
                     {"score"}));
  if (!section.failed() && (gate.metric != Metric::silhouette) != labels)
    section.fail_at("metric", "does not measure what the recipe '" + std::string(name_of(pipeline.train.recipe)) +
                                  "' learns; use '" + (labels ? "accuracy'" : "silhouette'"));
  if (!section.failed() && gate.metric == Metric::auc && pipeline.signal.labels.size() != 2)
    section.fail_at("metric", "is \"auc\", which compares exactly 2 labels; use \"f1\" or \"accuracy\" for more");
  section.number("goal", gate.goal, 0, 1);
  gate.first_goal = gate.goal;
  section.number("first_goal", gate.first_goal, 0, 1);
  section.number("margin", gate.margin, 0, 0.5);
  section.number("confidence", gate.confidence, 0.5, 0.999999);
  section.number("holdout", gate.holdout, 0.01, 0.9);
  section.number("no_slice_worse_than", gate.no_slice_worse_than, 0, 1);
}

void read_export(TomlSection section, std::vector<ExportFormat>& formats) {
  std::vector<std::string> names;
  section.strings("formats", names, 16);
  if (section.failed() || !section.has("formats")) return;
  if (names.empty()) return section.fail_at("formats", "must name at least one format: [\"onnx\"]");
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == "onnx-int8" || names[i] == "command")
      return section.fail_at(
          "formats", "asks for the format '" + names[i] + "', which this version does not have yet; use 'onnx'", i);
    if (names[i] != "onnx")
      return section.fail_at("formats", "must be [\"onnx\"], not '" + names[i].substr(0, 64) + "'", i);
    if (i > 0) return section.fail_at("formats", "names 'onnx' twice", i);
  }
  formats = {ExportFormat::onnx};
}

void read_delivery(TomlSection section, DeliveryRules& delivery) {
  section.integer("delta_bases", delivery.delta_bases, 0, 64);
  std::string budget = "none";
  section.text("wire_budget", budget, 32);
  if (budget != "none")
    section.fail_at("wire_budget",
                    "asks for training for the wire, which this version does not have yet; use \"none\"");
  std::string check_every;
  if (section.has("check_every")) section.text("check_every", check_every, 64);
  if (check_every == "never") {
    delivery.check_every.reset();
  } else if (section.has("check_every")) {
    section.duration("check_every", delivery.check_every.emplace());
    if (!section.failed() && *delivery.check_every < std::chrono::seconds(1))
      section.fail_at("check_every", "must be at least \"1s\", or \"never\"");
  }
  std::vector<std::int64_t> steps;
  section.integers("rollout", steps, 32);
  if (section.failed() || !section.has("rollout")) return;
  delivery.rollout.clear();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i] < 1 || steps[i] > 100 || (i > 0 && steps[i] <= steps[i - 1]))
      return section.fail_at("rollout", "must hold rising percentages from 1 to 100", i);
    delivery.rollout.push_back(static_cast<int>(steps[i]));
  }
  if (delivery.rollout.empty() || delivery.rollout.back() != 100)
    section.fail_at("rollout", "must end with 100, the whole fleet");
}

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

  read_signal(section("signal", {"shape", "dtype", "scale", "labels", "rate_hz"}), pipeline);
  read_collect(section("collect", {"until", "audit_fraction", "resume_on_drift", "daily_bytes", "flush_after"}),
               pipeline.collect);
  read_train(section("train", {"recipe", "layers", "epochs", "batch_size", "learning_rate", "first_at_samples", "when",
                               "cooldown", "clusters", "restarts", "clip", "trim", "min_cluster", "silhouette_rows",
                               "spectrum", "threshold", "alarms_per_day"}),
             pipeline, errors, pipeline.train);
  read_gate(section("gate", {"metric", "goal", "first_goal", "margin", "confidence", "holdout", "no_slice_worse_than"}),
            pipeline, pipeline.gate);
  read_export(section("export", {"formats"}), pipeline.formats);
  read_delivery(section("delivery", {"delta_bases", "wire_budget", "rollout", "check_every"}), pipeline.delivery);
}

}  // namespace

std::string_view name_of(Recipe recipe) {
  switch (recipe) {
    case Recipe::cnn: return "cnn";
    case Recipe::mlp: return "mlp";
    case Recipe::kmeans: return "kmeans";
  }
  return "";
}

bool learns_labels(Recipe recipe) {
  return recipe == Recipe::cnn || recipe == Recipe::mlp;
}

std::string Pipeline::recipe_fingerprint() const {
  Json json{{"signal", wire::to_json(signal)}, {"recipe", name_of(train.recipe)}};
  if (train.recipe == Recipe::kmeans) {
    const KMeansRules& kmeans = train.kmeans;
    json["clusters"] = {kmeans.clusters_min, kmeans.clusters_max};
    json["restarts"] = kmeans.restarts;
    json["clip"] = kmeans.clip;
    json["trim"] = kmeans.trim;
    json["min_cluster"] = kmeans.min_cluster;
    json["silhouette_rows"] = kmeans.silhouette_rows;
    json["spectrum"] = kmeans.spectrum;
    json["threshold"] = train.anomaly.threshold;
    if (train.anomaly.alarms_per_day) json["alarm_share"] = *train.anomaly.alarms_per_day / 86400 / *rate_hz;
    return to_string(dump_bytes(json));
  }
  std::vector<std::string> texts;
  for (const Layer& layer : train.layers) texts.push_back(to_text(layer));
  json["layers"] = texts;
  json["epochs"] = train.epochs;
  json["batch_size"] = train.batch_size;
  json["learning_rate"] = train.learning_rate;
  return to_string(dump_bytes(json));
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
