#include "trainer/command/evaluate.hpp"

#include <spdlog/spdlog.h>

#include <string>
#include <utility>

#include "shared/wire/figures.hpp"
#include "trainer/command/run_command.hpp"
#include "trainer/command/snapshot.hpp"
#include "trainer/command/workplace.hpp"

namespace hone::trainer {
namespace {

constexpr const char* kData = "holdout";

}  // namespace

Result<std::vector<Bytes>> evaluate(const EvaluateInput& input) {
  const CommandRules& rules = input.pipeline.train.command;
  if (rules.eval.empty()) return fail(Code::invalid, "the pipeline file names no train.eval, which gives the figures");
  HONE_TRY(const std::string program, find_command(input.host, rules.eval.front()));
  HONE_TRY(const Workplace place, Workplace::make(input.host));
  HONE_CHECK(write_snapshot(input.host.files, place.path(kData), input.pipeline.name, input.dataset, input.holdout));
  std::vector<Bytes> figures;
  for (std::size_t i = 0; i < input.models.size(); ++i) {
    const std::string model = "model-" + std::to_string(i) + ".onnx";
    const std::string out = "figures-" + std::to_string(i) + ".npy";
    HONE_CHECK(place.write(model, input.models[i]));
    CommandLine command{rules.eval.front(), rules.eval, place.folder(), rules.timeout};
    command.argv.front() = program;
    for (const std::string& argument : {std::string("eval"), place.path(model), place.path(kData), place.path(out)})
      command.argv.push_back(argument);
    HONE_CHECK(
        run_command(command, input.host, [&](std::string_view line) { spdlog::info("{}: {}", command.name, line); }));
    auto written = place.read(out, wire::figures_bytes_max(static_cast<std::int64_t>(input.holdout.rows())));
    if (!written) return fail(written.error().within(command.name + " left with exit status 0, but"));
    figures.push_back(std::move(*written));
  }
  return figures;
}

}  // namespace hone::trainer
