// The recipe `command`: any program that keeps the contract of docs/trainers.md.
//
//   <train.command> train --data DIR --out DIR --seed N [--previous FILE]
#include <spdlog/spdlog.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "shared/model/run/runtime.hpp"
#include "trainer/command/metrics_file.hpp"
#include "trainer/command/progress_line.hpp"
#include "trainer/command/run_command.hpp"
#include "trainer/command/snapshot.hpp"
#include "trainer/command/workplace.hpp"
#include "trainer/curve.hpp"
#include "trainer/recipe.hpp"

namespace hone::trainer {
namespace {

constexpr std::uint64_t kModelBytesMax = std::uint64_t{1} << 30;
constexpr const char* kData = "data";
constexpr const char* kPrevious = "previous.onnx";

Result<CommandLine> command_line(const RecipeInput& input, const CommandHost& host, const Workplace& place) {
  const CommandRules& rules = input.pipeline.train.command;
  CommandLine command{rules.train.front(), rules.train, place.folder(), rules.timeout};
  HONE_TRY(command.argv.front(), find_command(host, rules.train.front()));
  for (const std::string& argument :
       {std::string("train"), std::string("--data"), place.path(kData), std::string("--out"), place.path("out"),
        std::string("--seed"), std::to_string(input.job.seed)})
    command.argv.push_back(argument);
  if (!input.base_onnx) return command;
  HONE_CHECK(place.write(kPrevious, *input.base_onnx));
  command.argv.emplace_back("--previous");
  command.argv.push_back(place.path(kPrevious));
  return command;
}

// What the command says while it runs: the curve, and a log of all other lines.
class Account {
 public:
  Account(const RecipeInput& input) : input_(input) { point_.loss = point_.validation_metric = std::nan(""); }

  void hear(std::string_view line) {
    if (const auto point = progress_from(line, point_)) {
      // One point an epoch; of a command that counts none, all: curve_json thins them out.
      if (!curve_.empty() && point->epoch == point_.epoch && point->epoch != 0) curve_.pop_back();
      if (curve_.size() < kPointsMax) curve_.push_back(*point);
      point_ = *point;
      (void)input_.progress(point_);  // whether to stop is asked elsewhere, since a command may say nothing for long
      return;
    }
    spdlog::info("{}: {}", input_.job.id.value, line);
    log_.add(line);
  }

  void tell(Json& lineage) const {
    if (!curve_.empty()) lineage["curve"] = curve_json(curve_);
    if (log_.text().empty()) return;
    lineage["log"] = log_.text();
    lineage["log_cut"] = log_.cut();
  }

 private:
  static constexpr std::size_t kPointsMax = 65536;
  const RecipeInput& input_;
  wire::ProgressPoint point_;
  std::vector<wire::ProgressPoint> curve_;
  LogTail log_;
};

// The model that the gate will be asked about must at least load and answer. Where this machine has no ONNX Runtime,
// the cloud finds out.
Result<> check_model(ByteView onnx, const wire::Signal& signal) {
  auto runtime = model::make_onnx_runtime(model::kUntriedRunMax);
  if (!runtime) {
    spdlog::warn("the model is not tried here: {}", runtime.error().context);
    return {};
  }
  HONE_TRY(const auto runner, (*runtime)->load(onnx, signal));
  const Bytes sample(signal.sample_bytes());
  std::vector<float> output(static_cast<std::size_t>(runner->width()));
  return runner->run(sample, 1, output);
}

Result<RecipeOutput> take_results(const std::string& name, const Workplace& place, const wire::Signal& signal) {
  const auto refused = [&](const Error& error) {
    return fail(Code::invalid, name + " left with exit status 0, but " + error.context);
  };
  RecipeOutput output;
  auto onnx = place.read("out/model.onnx", kModelBytesMax);
  if (!onnx) return refused(onnx.error());
  auto text = place.read("out/metrics.json", kMetricsBytesMax);
  if (!text) return refused(text.error());
  auto metrics = metrics_from(*text);
  if (!metrics) return refused(metrics.error());
  if (const auto checked = check_model(*onnx, signal); !checked)
    return refused(checked.error().within("out/model.onnx cannot be used"));
  output.onnx = std::move(*onnx);
  output.validation_metric = metrics->validation_metric;
  output.lineage["metrics"] = std::move(metrics->others);
  return output;
}

}  // namespace

Result<RecipeOutput> train_command(const RecipeInput& input) {
  if (input.commands == nullptr)
    return fail(Code::invalid, "the recipe 'command' is not run here: this trainer was given no folder of commands");
  const CommandHost& host = *input.commands;
  HONE_TRY(const Workplace place, Workplace::make(host));
  HONE_TRY(const CommandLine command, command_line(input, host, place));
  HONE_CHECK(write_snapshot(host.files, place.path(kData), input.pipeline.name, input.job.dataset, input.rows));
  HONE_CHECK(host.files.make_folders(place.path("out")));

  Account account(input);
  HONE_CHECK(run_command(command, host, [&](std::string_view line) { account.hear(line); }));
  HONE_TRY(RecipeOutput output, take_results(command.name, place, input.pipeline.signal));
  output.lineage["command"] = input.pipeline.train.command.train;
  if (input.base_onnx && input.job.base) output.lineage["base"] = input.job.base->hex();
  account.tell(output.lineage);
  return output;
}

}  // namespace hone::trainer
