#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "commands.hpp"
#include "eval_data.hpp"
#include "shared/metrics/accuracy.hpp"
#include "shared/model/run/runtime.hpp"
#include "shared/pipeline/pipeline.hpp"
#include "table.hpp"

namespace hone::app {
namespace {

constexpr std::uint64_t kModelFileBytesMax = 2ull << 30;
constexpr std::size_t kRowsAtOnce = 256;

struct EvalOptions {
  std::string model, data, pipeline, metric = "accuracy";
  double at_least = -1;
};

// Label index per row, by the runner that devices and the gate use too.
Result<std::vector<std::int32_t>> classify(const model::Runner& runner, const wire::Signal& signal, const EvalData& data) {
  const std::size_t sample_bytes = signal.sample_bytes();
  const auto width = static_cast<std::size_t>(runner.width());
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  std::vector<std::int32_t> answers;
  answers.reserve(data.rows());
  std::vector<float> scores;
  for (std::size_t row = 0; row < data.rows(); row += kRowsAtOnce) {
    const std::size_t rows = std::min(kRowsAtOnce, data.rows() - row);
    scores.resize(rows * width);
    HONE_CHECK(runner.run(ByteView(data.x).subspan(row * sample_bytes, rows * sample_bytes), static_cast<std::int64_t>(rows), scores));
    const auto best = metrics::argmax_rows(scores, runner.width());
    answers.insert(answers.end(), best.begin(), best.end());
    if (terminal) std::fprintf(stderr, "\r%zu of %zu rows", answers.size(), data.rows());
  }
  if (terminal) std::fprintf(stderr, "\r\033[K");
  return answers;
}

Json figures(const wire::Signal& signal, const EvalData& data, const std::vector<std::int32_t>& answers) {
  std::vector<std::int64_t> of_label(signal.labels.size()), right_of_label(signal.labels.size());
  std::int64_t rows = 0, right = 0;
  for (std::size_t i = 0; i < data.rows(); ++i) {
    if (data.y[i] < 0) continue;
    const auto label = static_cast<std::size_t>(data.y[i]);
    const bool hit = answers[i] == data.y[i];
    ++rows;
    ++of_label[label];
    right += hit ? 1 : 0;
    right_of_label[label] += hit ? 1 : 0;
  }
  Json labels = Json::array();
  for (std::size_t label = 0; label < of_label.size(); ++label)
    labels.push_back({{"label", signal.labels[label]}, {"rows", of_label[label]}, {"right", right_of_label[label]}});
  return {{"metric", "accuracy"},
          {"value", rows == 0 ? Json(nullptr) : Json(static_cast<double>(right) / static_cast<double>(rows))},
          {"rows", rows},
          {"right", right},
          {"labels", labels},
          {"data", data.source}};
}

Result<Json> eval(Context& context, const EvalOptions& options) {
  const auto toml = read_file(*context.files, options.pipeline, kPipelineBytesMax);
  if (!toml) return fail(toml.error().within("the pipeline file " + options.pipeline + " cannot be read"));
  HONE_TRY(const Pipeline pipeline, parse_pipeline(as_text(*toml), options.pipeline));
  const auto onnx = read_file(*context.files, options.model, kModelFileBytesMax);
  if (!onnx) return fail(onnx.error().within("the model " + options.model + " cannot be read"));
  HONE_TRY(const EvalData data, load_eval_data(*context.files, options.data, pipeline.signal));

  HONE_TRY(const auto runtime, model::make_onnx_runtime());
  const auto runner = runtime->load(*onnx, pipeline.signal);
  if (!runner) return fail(runner.error().within("the model " + options.model));
  if ((*runner)->width() != static_cast<std::int64_t>(pipeline.signal.labels.size()))
    return fail(Code::invalid, options.model + " gives " + std::to_string((*runner)->width()) + " scores a row, the signal has " +
                                   std::to_string(pipeline.signal.labels.size()) + " labels");
  HONE_TRY(const auto answers, classify(**runner, pipeline.signal, data));
  Json result = figures(pipeline.signal, data, answers);
  if (result["value"].is_null()) return fail(Code::invalid, data.source + ": no row has a label");
  result["model"] = options.model;
  result["sha256"] = sha256(*onnx).hex();
  result["bytes"] = onnx->size();
  if (options.at_least >= 0 && result["value"].get<double>() < options.at_least) context.exit_code = kGateSaidNo;
  return result;
}

void print_eval(const Json& result) {
  std::printf("accuracy %s: %s of %s rows right\n", percent(result.at("value")).c_str(), with_commas(result.at("right")).c_str(),
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
  CLI::App* verb = app.add_subcommand("eval", "Measure a model file on labelled data, as the gate does");
  verb->add_option("model", options->model, "The ONNX file")->required();
  verb->add_option("--data", options->data, "Folder with x.npy and y.npy, or an IDX pair")->required();
  verb->add_option("--pipeline", options->pipeline, "The pipeline file, for its signal")->required();
  verb->add_option("--metric", options->metric, "accuracy")->check(CLI::IsMember({"accuracy"}));
  verb->add_option("--at-least", options->at_least, "Exit status 3 when the metric is below this")->check(CLI::Range(0.0, 1.0));
  on_run(verb, context, [&context, options] { return eval(context, *options); }, print_eval);
}

}  // namespace hone::app
