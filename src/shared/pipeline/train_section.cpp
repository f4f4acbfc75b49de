// [train]: the recipe, what it reads, and when it is run.
#include <array>
#include <span>
#include <utility>

#include "shared/pipeline/layers.hpp"
#include "shared/pipeline/sections.hpp"

namespace hone {
namespace {

constexpr std::int64_t kClustersMax = 256;
constexpr std::size_t kArgumentsMax = 64;
constexpr Duration kCommandTimeoutMin = std::chrono::seconds(1);

// What each recipe reads beside the keys that are for all.
constexpr std::array<std::string_view, 6> kNetworkKeys{"layers",        "epochs", "batch_size",
                                                       "learning_rate", "start",  "patience"};
constexpr std::array<std::string_view, 3> kLabelKeys{"balance", "normalise", "augment"};
constexpr std::array<std::string_view, 4> kRobustKeys{"clip", "trim", "threshold", "alarms_per_day"};
constexpr std::array<std::string_view, 5> kClusterKeys{"clusters", "restarts", "min_cluster", "silhouette_rows",
                                                       "spectrum"};
constexpr std::array<std::string_view, 3> kCommandKeys{"command", "eval", "timeout"};

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
    if (spatial && train.recipe != Recipe::cnn)
      return section.fail_at("layers",
                             "has '" + texts[i].substr(0, 64) + "', which the recipe '" +
                                 std::string(name_of(train.recipe)) + "' cannot use" +
                                 (train.recipe == Recipe::mlp ? "; use recipe = \"cnn\"" : "; use dense layers"),
                             i);
    train.layers.push_back(*layer);
  }
  const LastLayer last = train.recipe == Recipe::autoencoder ? LastLayer::elements : LastLayer::labels;
  if (auto shapes = shapes_of(signal, train.layers, last); !shapes)
    section.fail_at("layers", "do not fit the signal: " + shapes.error().context);
}

void read_network(TomlSection& section, TrainRules& train) {
  section.integer("epochs", train.epochs, 1, 10'000);
  section.integer("batch_size", train.batch_size, 1, 65'536);
  section.number("learning_rate", train.learning_rate, 1e-9, 10);
  section.integer("patience", train.patience, 0, 10'000);
  train.start = static_cast<Start>(section.choice("start", static_cast<int>(Start::warm),
                                                  {{"warm", static_cast<int>(Start::warm)},
                                                   {"fresh", static_cast<int>(Start::fresh)},
                                                   {"best", static_cast<int>(Start::best)}}));
}

void read_augment(TomlSection& section, const wire::Signal& signal, TomlErrors& errors, AugmentRules& augment) {
  if (!section.has("augment")) return;
  TomlSection table(section.table("augment"), "train.augment", section.source(), errors, {"shift", "rotate"});
  table.integer("shift", augment.shift, 0, 64);
  table.number("rotate", augment.rotate, 0, 180);
  if (!section.failed() && signal.shape.size() != 3)
    section.fail_at("augment", "moves images: it needs signal.shape to be [channels, height, width]");
}

void read_labelled(TomlSection& section, const Pipeline& pipeline, TomlErrors& errors, TrainRules& train) {
  section.flag("balance", train.balance);
  section.flag("normalise", train.normalise);
  read_augment(section, pipeline.signal, errors, train.augment);
  if (pipeline.signal.labels.empty())
    section.fail_at("recipe",
                    "is '" + std::string(name_of(train.recipe)) + "', which learns labels: name them in signal.labels");
}

void read_robust(TomlSection& section, double& clip, double& trim) {
  section.number("clip", clip, 0.1, 1e6);
  section.number("trim", trim, 0, 0.5);
}

void read_kmeans(TomlSection& section, KMeansRules& kmeans) {
  std::vector<std::int64_t> clusters{kmeans.clusters_min, kmeans.clusters_max};
  section.integers("clusters", clusters, 2);
  section.integer("restarts", kmeans.restarts, 1, 64);
  read_robust(section, kmeans.clip, kmeans.trim);
  section.number("min_cluster", kmeans.min_cluster, 0, 0.5);
  section.integer("silhouette_rows", kmeans.silhouette_rows, 100, 1'000'000);
  section.flag("spectrum", kmeans.spectrum);
  if (section.failed()) return;
  if (clusters.empty() || clusters.front() < 2 || clusters.back() < clusters.front() || clusters.back() > kClustersMax)
    return section.fail_at("clusters",
                           "must be the least and the largest number to try, such as [2, 8], from 2 to 256");
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

void read_command(TomlSection& section, CommandRules& command) {
  section.require("command");
  section.strings("command", command.train, kArgumentsMax);
  section.strings("eval", command.eval, kArgumentsMax);
  section.duration("timeout", command.timeout);
  if (section.failed()) return;
  if (command.train.empty() || command.train.front().empty())
    return section.fail_at("command", "must name a program and its arguments: [\"train.py\", \"--fast\"]");
  if (section.has("eval") && (command.eval.empty() || command.eval.front().empty()))
    return section.fail_at("eval", "must name a program and its arguments; leave it out where none is needed");
  if (command.timeout < kCommandTimeoutMin) section.fail_at("timeout", "must be at least \"1s\"");
}

// Keys that only some recipes read: elsewhere they would be ignored in silence.
void refuse_keys(TomlSection& section, Recipe recipe, std::initializer_list<std::span<const std::string_view>> groups) {
  for (const auto keys : groups)
    for (const std::string_view key : keys)
      if (section.has(key) && !section.failed())
        section.fail_at(key, "is not for the recipe '" + std::string(name_of(recipe)) + "'");
}

void read_recipe(TomlSection& section, const Pipeline& pipeline, TomlErrors& errors, TrainRules& train) {
  switch (train.recipe) {
    case Recipe::cnn:
    case Recipe::mlp:
      refuse_keys(section, train.recipe, {kRobustKeys, kClusterKeys, kCommandKeys});
      section.require("layers");
      read_labelled(section, pipeline, errors, train);
      if (!section.failed()) read_layers(section, pipeline.signal, train);
      return read_network(section, train);
    case Recipe::autoencoder:
      refuse_keys(section, train.recipe, {kLabelKeys, kClusterKeys, kCommandKeys});
      section.require("layers");
      if (!section.failed()) read_layers(section, pipeline.signal, train);
      read_robust(section, train.autoencoder.clip, train.autoencoder.trim);
      read_anomaly(section, pipeline.rate_hz, train.anomaly);
      return read_network(section, train);
    case Recipe::kmeans:
      refuse_keys(section, train.recipe, {kNetworkKeys, kLabelKeys, kCommandKeys});
      read_kmeans(section, train.kmeans);
      return read_anomaly(section, pipeline.rate_hz, train.anomaly);
    case Recipe::command:
      refuse_keys(section, train.recipe, {kNetworkKeys, kLabelKeys, kRobustKeys, kClusterKeys});
      return read_command(section, train.command);
  }
}

}  // namespace

void read_train(TomlSection section, const Pipeline& pipeline, TomlErrors& errors, TrainRules& train) {
  train.recipe = static_cast<Recipe>(section.choice("recipe", static_cast<int>(Recipe::cnn),
                                                    {{"cnn", static_cast<int>(Recipe::cnn)},
                                                     {"mlp", static_cast<int>(Recipe::mlp)},
                                                     {"autoencoder", static_cast<int>(Recipe::autoencoder)},
                                                     {"kmeans", static_cast<int>(Recipe::kmeans)},
                                                     {"command", static_cast<int>(Recipe::command)}}));
  if (section.failed()) return;
  if (pipeline.windows && train.recipe != Recipe::kmeans)
    return section.fail_at("recipe", "is '" + std::string(name_of(train.recipe)) +
                                         "', whose graph cuts no windows; use signal.stream.cut = \"device\"");
  read_recipe(section, pipeline, errors, train);
  section.integer("first_at_samples", train.first_at_samples, 1, kSamplesMax);
  section.duration("cooldown", train.cooldown);
  const toml::table* when = section.table("when");
  read_when(
      TomlSection(when, "train.when", section.source(), errors, {"new_samples", "every", "drift", "recipe_changed"}),
      train);
}

}  // namespace hone
