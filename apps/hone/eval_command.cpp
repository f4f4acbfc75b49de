#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/hash.hpp"
#include "commands.hpp"
#include "measure.hpp"
#include "shared/model/run/runtime.hpp"
#include "shared/model/tensors.hpp"
#include "shared/pipeline/pipeline.hpp"
#include "shared/samples/folder.hpp"
#include "table.hpp"

namespace hone::app {
namespace {

constexpr std::uint64_t kModelFileBytesMax = 2ull << 30;

struct EvalOptions {
  std::string model, data, pipeline, metric, label_column;
  double at_least = -2;  // below every metric
};

void show_rows(std::size_t done, std::size_t rows) {
  if (::isatty(STDERR_FILENO) != 1) return;
  std::fprintf(stderr, "\r%zu of %zu rows%s", done, rows, done == rows ? "\r\033[K" : "");
}

Result<std::optional<Pipeline>> read_pipeline(Context& context, const std::string& path) {
  if (path.empty()) return std::optional<Pipeline>();
  const auto toml = read_file(*context.files, path, kPipelineBytesMax);
  if (!toml) return fail(toml.error().within("the pipeline file " + path + " cannot be read"));
  HONE_TRY(Pipeline pipeline, parse_pipeline(as_text(*toml), path));
  return std::optional(std::move(pipeline));
}

// As the pipeline file has it, or as far as the model itself says it.
Result<wire::Signal> signal_for(const std::optional<Pipeline>& pipeline, model::Runtime& runtime, ByteView onnx) {
  if (pipeline) return pipeline->signal;
  return runtime.signal_of(onnx);
}

// By which the graphs that hone writes multiply what is sensed first.
std::optional<double> scale_in(ByteView onnx) {
  for (const model::TensorExtent& tensor : model::find_tensors(onnx).tensors) {
    float scale = 0;
    if (tensor.name != "scale" || tensor.type != model::ElementType::f32 || tensor.bytes != sizeof scale) continue;
    std::memcpy(&scale, onnx.data() + tensor.offset, sizeof scale);
    return scale;
  }
  return std::nullopt;
}

// What was asked for, else the gate's, else what fits the model's outputs.
Result<std::string> metric_for(const EvalOptions& options, const std::optional<Pipeline>& pipeline,
                               const model::Runner& runner) {
  if (!options.metric.empty()) return options.metric;
  if (!pipeline) return metric_of(runner);
  if (pipeline->gate.metric == Metric::score)
    return fail(Code::invalid, "the gate of " + options.pipeline +
                                   " measures \"score\", which a program of yours tells; name another --metric");
  return std::string(name_of(pipeline->gate.metric));
}

Result<samples::Samples> read_samples(Context& context, const EvalOptions& options, const wire::Signal& signal,
                                      const std::string& metric) {
  samples::FolderOptions reading;
  reading.part = samples::Part::test;
  reading.label_column = options.label_column;
  reading.labels_required = needs_labels(metric);
  return samples::read_folder(*context.files, options.data, signal, reading);
}

Result<Json> eval(Context& context, const EvalOptions& options) {
  const auto onnx = read_file(*context.files, options.model, kModelFileBytesMax);
  if (!onnx) return fail(onnx.error().within("the model " + options.model + " cannot be read"));
  const auto of_model = [&](const Error& error) { return fail(error.within("the model " + options.model)); };
  HONE_TRY(const auto runtime, model::make_onnx_runtime());
  HONE_TRY(const auto pipeline, read_pipeline(context, options.pipeline));
  auto signal = signal_for(pipeline, *runtime, *onnx);
  if (!signal) return of_model(signal.error());
  auto runner = runtime->load(*onnx, *signal);
  if (!runner) return of_model(runner.error());
  HONE_TRY(const std::string metric, metric_for(options, pipeline, **runner));
  if (metric == "reconstruction" && !pipeline) {
    const auto scale = scale_in(*onnx);
    if (!scale) return of_model(Error(Code::invalid, "reconstruction needs the signal's scale; give --pipeline"));
    signal->scale = *scale;
  }
  HONE_CHECK(check_metric(metric, **runner));
  HONE_TRY(const auto samples, read_samples(context, options, *signal, metric));

  if (!further_output_for(metric).empty()) runner = runtime->load(*onnx, *signal, further_output_for(metric));
  if (!runner) return of_model(runner.error());
  const std::int64_t silhouette_rows = pipeline ? pipeline->train.kmeans.silhouette_rows : 0;
  HONE_TRY(Json result, measure(metric, **runner, *signal, samples, silhouette_rows, show_rows));
  result["data"] = samples.source;
  result["model"] = options.model;
  result["sha256"] = sha256(*onnx).hex();
  result["bytes"] = onnx->size();
  if (result["value"].get<double>() < options.at_least) context.exit_code = kGateSaidNo;
  return result;
}

void print_eval(const Json& result) {
  const std::string metric = text_of(result.at("metric"));
  const double value = result.at("value");
  if (result.contains("silhouette_bounds")) {
    const Json& bounds = result.at("silhouette_bounds");
    std::printf("%s %.4f (95%%: %.4f to %.4f) on %s of %s rows\n", metric.c_str(), value, bounds.at(0).get<double>(),
                bounds.at(1).get<double>(), with_commas(result.at("rows_measured")).c_str(),
                with_commas(result.at("rows")).c_str());
    return;
  }
  if (!result.contains("labels")) {
    std::printf("%s %.4f on %s rows\n", metric.c_str(), value, with_commas(result.at("rows")).c_str());
    return;
  }
  std::printf("%s %s: %s of %s rows right\n", metric.c_str(), percent(value).c_str(), with_commas(result.at("right")).c_str(),
              with_commas(result.at("rows")).c_str());
  Table table({"label", ">rows", ">right"});
  for (const Json& label : result.at("labels")) {
    const double rows = label.at("rows");
    table.row({label.at("label"), with_commas(label.at("rows")), rows == 0 ? "-" : percent(label.at("right").get<double>() / rows)});
  }
  table.print();
}

}  // namespace

void add_eval_command(CLI::App& app, Context& context) {
  const auto options = std::make_shared<EvalOptions>();
  CLI::App* verb = app.add_subcommand("eval", "Measure a model file, as the gate does");
  verb->add_option("model", options->model, "The ONNX file")->required();
  verb->add_option("--data", options->data, "Folder with x.npy and y.npy, an IDX pair, or CSV files")->required();
  verb->add_option("--pipeline", options->pipeline, "The pipeline file, for its signal and labels; without it, what the model says");
  verb->add_option("--metric", options->metric,
                   "accuracy, f1, auc, silhouette or reconstruction; default: the pipeline's, else what fits the model")
      ->check(CLI::IsMember({"accuracy", "f1", "auc", "silhouette", "reconstruction"}));
  verb->add_option("--label-column", options->label_column, "Of CSV files: a name from the header, or a number from 1");
  verb->add_option("--at-least", options->at_least, "Exit status 3 when the metric is below this")->check(CLI::Range(-1.0, 1.0));
  on_run(verb, context, [&context, options] { return eval(context, *options); }, print_eval);
}

}  // namespace hone::app
