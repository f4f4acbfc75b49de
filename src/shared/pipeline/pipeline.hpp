// A pipeline file: what one model is for, how it learns, when it is better, how it travels.
// The example is in docs/pipeline.md, and `hone init` writes a commented one. Unknown keys, wrong
// types and values out of range are errors with line and column.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "shared/wire/signal.hpp"
#include "shared/wire/stream.hpp"

namespace hone {

enum class CollectUntil : std::uint8_t { goal, always, never };
enum class Recipe : std::uint8_t { cnn, mlp, autoencoder, kmeans, command };
enum class Start : std::uint8_t { warm, fresh, best };
enum class Metric : std::uint8_t { accuracy, f1, auc, silhouette, score, reconstruction };
enum class ExportFormat : std::uint8_t { onnx, onnx_int8 };

struct CollectRules {
  CollectUntil until = CollectUntil::goal;
  std::int64_t daily_bytes = 0;             // per device; 0: no bound
  Duration flush_after = std::chrono::seconds(10);
};

// One layer of `train.layers`: "conv 16 3x3", "maxpool 2", "relu", "dense 128", "dropout 0.2".
struct Layer {
  enum class Kind : std::uint8_t { conv, maxpool, relu, dense, dropout } kind = Kind::relu;
  std::int64_t channels = 0;                 // conv: output channels; dense: output width
  std::int64_t kernel_h = 0, kernel_w = 0;   // conv: odd, stride 1, padded: the image keeps its size
  std::int64_t pool = 0;                     // maxpool: window and stride
  double rate = 0;                           // dropout
};

// What k-means does with data that holds anomalies.
struct KMeansRules {
  std::int64_t clusters_min = 2, clusters_max = 8;  // the number is chosen by Silhouette
  std::int64_t restarts = 8;
  double clip = 5;             // features beyond it are brought back to it; 1 is half the 10-90% range
  double trim = 0.1;           // share of the rows, the farthest, that pull no centroid
  double min_cluster = 0.05;   // share of the rows that every cluster must hold
  std::int64_t silhouette_rows = 5000;  // above so many, Silhouette is estimated on as many of them
  bool spectrum = false;       // of the signal's last axis: magnitudes of frequencies instead of values
};

// What an autoencoder does with data that holds anomalies.
struct AutoencoderRules {
  double clip = 5;    // as in KMeansRules
  double trim = 0.1;  // share of the rows of a batch, the worst reconstructed, that pull no weight
};

// Images are moved and turned while training, each time they are seen anew.
struct AugmentRules {
  std::int64_t shift = 0;  // pixels at most, each way
  double rotate = 0;       // degrees at most, each way
};

// A program that trains, and one that gives each holdout row a figure: docs/trainers.md.
struct CommandRules {
  std::vector<std::string> train;  // the program and its arguments; no shell looks at them
  std::vector<std::string> eval;   // empty: the metric needs none
  Duration timeout = std::chrono::hours(1);
};

// When the recipes that score anomalies call a window anomalous.
struct AnomalyRules {
  double threshold = 0.99;                // quantile of the training scores, or
  std::optional<double> alarms_per_day;   // the budget of one device; needs Pipeline::rate_hz
};

struct TrainRules {
  Recipe recipe = Recipe::cnn;
  std::vector<Layer> layers;              // cnn, mlp, autoencoder
  KMeansRules kmeans;
  AutoencoderRules autoencoder;
  AnomalyRules anomaly;                   // kmeans, autoencoder
  CommandRules command;
  Start start = Start::warm;              // this and the next four: networks
  std::int64_t patience = 0;              // epochs without a better one after which fitting stops; 0: never
  bool balance = false;                   // rare labels weigh more
  bool normalise = false;                 // features are standardised by what the graph learns
  AugmentRules augment;
  std::int64_t epochs = 8;  // a small set gets up to 4 times as many: see trainer/schedule.hpp
  std::int64_t batch_size = 128;
  double learning_rate = 3e-3;
  std::int64_t first_at_samples = 1000;
  std::optional<std::int64_t> new_samples;   // since the dataset version trained on last
  std::optional<Duration> every;
  bool recipe_changed = true;
  Duration cooldown = std::chrono::minutes(10);
};

struct GateRules {
  Metric metric = Metric::accuracy;
  double goal = 0;
  double first_goal = 0;   // default: goal
  double margin = 0;
  double confidence = 0.95;
  double holdout = 0.1;    // fraction of samples that are never trained on
  double no_slice_worse_than = 0.01;
};

struct ExportRules {
  std::vector<ExportFormat> formats{ExportFormat::onnx};  // the plain one first, always there
  double may_lose = 0.005;  // of the metric, against the plain export: what loses more is not shipped
};

// What an update may cost on the wire: a share of the full fp32 file, or bytes.
struct WireBudget {
  double share = 0;  // 0: `bytes` says it
  std::int64_t bytes = 0;

  [[nodiscard]] std::int64_t bytes_of(std::int64_t full_bytes) const {
    return share > 0 ? static_cast<std::int64_t>(share * static_cast<double>(full_bytes)) : bytes;
  }
};

struct DeliveryRules {
  std::int64_t delta_bases = 4;
  std::optional<WireBudget> wire_budget;  // nullopt: "none"
  double wire_keep = 0.9;  // share of the free model's gain that an update within the budget must keep
  std::vector<int> rollout{100};  // percent of the fleet, ascending, ends with 100
  std::optional<Duration> check_every = std::chrono::hours(24);  // nullopt: "never"
};

// Windows that the model's graph cuts from a sample, along its last axis.
struct RecordWindows {
  std::int64_t window = 0;
  std::int64_t stride = 0;
};

struct Pipeline {
  PipelineName name;
  wire::Signal signal;
  std::optional<double> rate_hz;  // samples that one device senses in a second; of a stream, windows
  std::optional<wire::Stream> stream;       // signal.stream with cut = "device": `signal` is that of the windows
  std::optional<RecordWindows> windows;     // ... with cut = "graph": a sample is a record of many windows
  CollectRules collect;
  TrainRules train;
  GateRules gate;
  ExportRules exports;
  DeliveryRules delivery;
  std::string toml;  // as it was written

  // Changes exactly when the model's architecture or the way it is trained changes: the
  // canonical text of signal, recipe and all that the recipe reads.
  [[nodiscard]] std::string recipe_fingerprint() const;
};

[[nodiscard]] std::string_view name_of(Recipe recipe);        // "cnn"
[[nodiscard]] std::string_view name_of(Metric metric);        // "accuracy"
[[nodiscard]] std::string_view name_of(Start start);          // "warm"
[[nodiscard]] std::string_view name_of(ExportFormat format);  // "onnx-int8"
// True: weights of layers are fitted, by gradients.
[[nodiscard]] bool is_network(Recipe recipe);
// True: the recipe learns labels, so that only labelled samples count. False: it takes every sample.
[[nodiscard]] bool learns_labels(Recipe recipe);

constexpr std::size_t kPipelineBytesMax = std::size_t{256} * 1024;

// `file` is the name for messages: "digits.toml:14:3: unknown key 'layer' in [train]; did you mean 'layers'?"
[[nodiscard]] Result<Pipeline> parse_pipeline(std::string_view toml, std::string_view file);

// The commented file that `hone init` writes; parse_pipeline accepts it as it is.
[[nodiscard]] std::string pipeline_template(std::string_view name);

}  // namespace hone
