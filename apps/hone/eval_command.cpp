#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>

#include "base/hash.hpp"
#include "commands.hpp"
#include "measure.hpp"
#include "shared/model/run/runtime.hpp"
#include "shared/pipeline/pipeline.hpp"
#include "shared/samples/folder.hpp"
#include "table.hpp"

namespace hone::app {
namespace {

constexpr std::uint64_t kModelFileBytesMax = 2ull << 30;

struct EvalOptions {
  std::string model, data, pipeline, metric = "accuracy", label_column;
  double at_least = -2;  // below every metric
};

void show_rows(std::size_t done, std::size_t rows) {
  if (::isatty(STDERR_FILENO) != 1) return;
  std::fprintf(stderr, "\r%zu of %zu rows%s", done, rows, done == rows ? "\r\033[K" : "");
}

// As the pipeline file has it, or as far as the model itself says it.
Result<wire::Signal> signal_for(Context& context, const EvalOptions& options, model::Runtime& runtime, ByteView onnx) {
  if (options.pipeline.empty()) {
    auto signal = runtime.signal_of(onnx);
    if (!signal) return fail(signal.error().within("the model " + options.model));
    return signal;
  }
  const auto toml = read_file(*context.files, options.pipeline, kPipelineBytesMax);
  if (!toml) return fail(toml.error().within("the pipeline file " + options.pipeline + " cannot be read"));
  HONE_TRY(const Pipeline pipeline, parse_pipeline(as_text(*toml), options.pipeline));
  return pipeline.signal;
}

Result<Json> eval(Context& context, const EvalOptions& options) {
  const auto onnx = read_file(*context.files, options.model, kModelFileBytesMax);
  if (!onnx) return fail(onnx.error().within("the model " + options.model + " cannot be read"));
  HONE_TRY(const auto runtime, model::make_onnx_runtime());
  HONE_TRY(const wire::Signal signal, signal_for(context, options, *runtime, *onnx));
  samples::FolderOptions reading;
  reading.part = samples::Part::test;
  reading.label_column = options.label_column;
  reading.labels_required = options.metric != "silhouette";
  HONE_TRY(const auto samples, samples::read_folder(*context.files, options.data, signal, reading));

  const auto runner = runtime->load(*onnx, signal, further_output_for(options.metric));
  if (!runner) return fail(runner.error().within("the model " + options.model));
  HONE_TRY(Json result, measure(options.metric, **runner, signal, samples, show_rows));
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
  verb->add_option("--metric", options->metric, "accuracy, f1, auc or silhouette")
      ->check(CLI::IsMember({"accuracy", "f1", "auc", "silhouette"}));
  verb->add_option("--label-column", options->label_column, "Of CSV files: a name from the header, or a number from 1");
  verb->add_option("--at-least", options->at_least, "Exit status 3 when the metric is below this")->check(CLI::Range(-1.0, 1.0));
  on_run(verb, context, [&context, options] { return eval(context, *options); }, print_eval);
}

}  // namespace hone::app
