#include "trainer/local/local.hpp"

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "base/hash.hpp"
#include "shared/pipeline/pipeline.hpp"
#include "shared/samples/folder.hpp"
#include "trainer/onnx_reader.hpp"
#include "trainer/train.hpp"

namespace hone::trainer {
namespace {

Result<Pipeline> read_pipeline(Files& files, const std::string& path) {
  const auto toml = read_file(files, path, kPipelineBytesMax);
  if (!toml) return fail(toml.error().within("the pipeline file " + path + " cannot be read"));
  return parse_pipeline(as_text(*toml), path);
}

Result<std::optional<Bytes>> read_base(Files& files, const std::string& path) {
  if (path.empty()) return std::optional<Bytes>();
  auto onnx = read_file(files, path, kOnnxBytesMax);
  if (!onnx) return fail(onnx.error().within("the base model " + path + " cannot be read"));
  return std::optional(std::move(*onnx));
}

// Where commands work, below `out`. What is left of both when nothing was trained goes with it.
class CommandFolder {
 public:
  explicit CommandFolder(const LocalOptions& options) : out_(options.out) {
    std::error_code ignored;
    was_there_ = options.commands.empty() || std::filesystem::exists(out_, ignored);
  }
  ~CommandFolder() {
    std::error_code ignored;
    if (!was_there_) std::filesystem::remove(out_, ignored);  // an empty one only
  }
  CommandFolder(const CommandFolder&) = delete;
  CommandFolder& operator=(const CommandFolder&) = delete;
  [[nodiscard]] std::string path() const { return out_ + "/.hone-command"; }

 private:
  const std::string out_;
  bool was_there_ = true;
};

Result<> check_commands(const LocalOptions& options, const Pipeline& pipeline) {
  if (pipeline.train.recipe != Recipe::command || !options.commands.empty()) return {};
  return fail(Code::invalid, "the recipe 'command' runs a program of yours; give --commands DIR, the folder that holds '" +
                                 pipeline.train.command.train.front() + "'");
}

// What the rows are, whatever files they came from.
DatasetHash hash_of(const Rows& rows) {
  Sha256Stream stream;
  stream.update(rows.x);
  stream.update({reinterpret_cast<const std::uint8_t*>(rows.y.data()), rows.y.size() * sizeof rows.y[0]});
  return DatasetHash{stream.finish()};
}

// "onnx-int8" is written as model-int8.onnx.
std::string name_of_export(const std::string& format) {
  const std::string kind = format.starts_with("onnx-") ? format.substr(5) : format;
  return "model-" + kind + ".onnx";
}

Json report(const LocalOptions& options, const wire::Job& job, const std::string& source, const TrainOutcome& outcome) {
  Json lineage = outcome.message.lineage;
  Json curve = Json::array();
  if (lineage.contains("curve")) curve = std::move(lineage["curve"]);
  lineage.erase("curve");
  Json exports = Json::array();
  for (const auto& one : outcome.message.exports)
    exports.push_back({{"format", one.format}, {"file", options.out + "/" + name_of_export(one.format)}, {"sha256", one.model.hex()}});
  return {{"pipeline", job.pipeline.value},
          {"model", {{"file", options.out + "/" + kLocalModelFile}, {"sha256", outcome.message.model.hex()}, {"bytes", outcome.onnx.size()}}},
          {"exports", std::move(exports)},
          {"data", source},
          {"dataset", job.dataset.hex()},
          {"base", job.base ? Json(job.base->hex()) : Json(nullptr)},
          {"seed", job.seed},
          {"seconds_train", outcome.message.seconds_train},
          {"validation_metric", wire::figure(outcome.message.validation_metric)},
          {"curve", std::move(curve)},
          {"lineage", std::move(lineage)}};
}

Result<> write_results(Files& files, const std::string& folder, const TrainOutcome& outcome, const Json& training) {
  HONE_CHECK(files.make_folders(folder));
  HONE_CHECK(write_file_atomically(files, folder + "/" + kLocalModelFile, outcome.onnx));
  for (const auto& one : outcome.message.exports)
    for (const Bytes& file : outcome.further)
      if (sha256(file) == one.model.sha256) HONE_CHECK(write_file_atomically(files, folder + "/" + name_of_export(one.format), file));
  return write_file_atomically(files, folder + "/" + kLocalReportFile, to_bytes(training.dump(2) + "\n"));
}

}  // namespace

Result<Json> train_locally(const LocalOptions& options, Files& files, const Clock& clock, const OnProgress& progress,
                           const std::function<bool()>& stopping) {
  HONE_TRY(const Pipeline pipeline, read_pipeline(files, options.pipeline));
  HONE_CHECK(check_commands(options, pipeline));
  HONE_TRY(const auto base, read_base(files, options.base));
  samples::FolderOptions reading;
  reading.label_column = options.label_column;
  reading.labels_required = learns_labels(pipeline.train.recipe);
  HONE_TRY(auto read, samples::read_folder(files, options.data, pipeline.signal, reading));
  const std::string source = read.source;
  Rows rows{pipeline.signal, std::move(read.x), std::move(read.y), pipeline.stream, {}};

  wire::Job job;
  job.id = JobId("local");
  job.pipeline = pipeline.name;
  job.pipeline_toml = pipeline.toml;
  job.dataset = hash_of(rows);
  if (base) job.base = ModelHash{sha256(*base)};
  job.seed = options.seed;
  const CommandFolder folder(options);
  const CommandHost commands{files, options.commands, folder.path(), stopping};
  HONE_TRY(const TrainOutcome outcome,
           train(job, pipeline, std::move(rows), base, options.trainer, clock, progress, &commands));
  Json training = report(options, job, source, outcome);
  HONE_CHECK(write_results(files, options.out, outcome, training));
  return training;
}

}  // namespace hone::trainer
