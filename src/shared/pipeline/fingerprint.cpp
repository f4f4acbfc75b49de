#include "base/json.hpp"
#include "shared/pipeline/layers.hpp"
#include "shared/pipeline/pipeline.hpp"

namespace hone {
namespace {

void add_anomaly(const AnomalyRules& anomaly, std::optional<double> rate_hz, Json& json) {
  json["threshold"] = anomaly.threshold;
  if (anomaly.alarms_per_day) json["alarm_share"] = *anomaly.alarms_per_day / 86400 / *rate_hz;
}

void add_kmeans(const KMeansRules& kmeans, Json& json) {
  json["clusters"] = {kmeans.clusters_min, kmeans.clusters_max};
  json["restarts"] = kmeans.restarts;
  json["clip"] = kmeans.clip;
  json["trim"] = kmeans.trim;
  json["min_cluster"] = kmeans.min_cluster;
  json["silhouette_rows"] = kmeans.silhouette_rows;
  json["spectrum"] = kmeans.spectrum;
}

void add_network(const TrainRules& train, Json& json) {
  std::vector<std::string> texts;
  for (const Layer& layer : train.layers) texts.push_back(to_text(layer));
  json["layers"] = texts;
  json["epochs"] = train.epochs;
  json["batch_size"] = train.batch_size;
  json["learning_rate"] = train.learning_rate;
  json["start"] = name_of(train.start);
  json["patience"] = train.patience;
}

void add_labelled(const TrainRules& train, Json& json) {
  json["balance"] = train.balance;
  json["normalise"] = train.normalise;
  json["augment"] = {train.augment.shift, train.augment.rotate};
}

}  // namespace

std::string Pipeline::recipe_fingerprint() const {
  Json json{{"signal", wire::to_json(signal)}, {"recipe", name_of(train.recipe)}};
  if (stream) json["stream"] = wire::to_json(*stream);
  if (windows) json["windows"] = {windows->window, windows->stride};
  switch (train.recipe) {
    case Recipe::cnn:
    case Recipe::mlp:
      add_network(train, json);
      add_labelled(train, json);
      break;
    case Recipe::autoencoder:
      add_network(train, json);
      add_anomaly(train.anomaly, rate_hz, json);
      json["clip"] = train.autoencoder.clip;
      json["trim"] = train.autoencoder.trim;
      break;
    case Recipe::kmeans:
      add_kmeans(train.kmeans, json);
      add_anomaly(train.anomaly, rate_hz, json);
      break;
    case Recipe::command: json["command"] = train.command.train; break;
  }
  return to_string(dump_bytes(json));
}

}  // namespace hone
