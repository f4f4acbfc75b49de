#include "shared/wire/release.hpp"

#include <bit>
#include <cmath>
#include <utility>

#include "base/json.hpp"
#include "shared/wire/fields.hpp"

namespace hone::wire {
namespace {

constexpr std::int64_t kFormat = 1;
constexpr std::size_t kDeltasMax = 64;
constexpr std::size_t kOutputsMax = 65536;  // floats, all rows together
constexpr std::size_t kSelfTestInputBytesMax = 2u << 20;
constexpr std::int64_t kFileBytesMax = std::int64_t{4} << 30;
constexpr std::size_t kPathBytesMax = 512;

Json to_json(const TargetFile& file) {
  return {{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256.hex()}};
}

Result<TargetFile> target_file_from(const Json& json, std::string_view expected_path) {
  TargetFile file;
  Fields fields("file", json);
  std::int64_t bytes = 0;
  fields.text("path", file.path, kPathBytesMax);
  fields.integer("bytes", bytes, 1, kFileBytesMax);
  fields.sha256("sha256", file.sha256);
  if (!fields.failed() && file.path != expected_path) fields.fail_key("path", "must be " + std::string(expected_path));
  file.bytes = static_cast<std::uint64_t>(bytes);
  return fields.finish(std::move(file));
}

Bytes little_endian(const std::vector<float>& values) {
  Bytes bytes;
  bytes.reserve(values.size() * 4);
  for (const float value : values) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (unsigned i = 0; i < 4; ++i) bytes.push_back(static_cast<std::uint8_t>(bits >> (8 * i)));
  }
  return bytes;
}

std::vector<float> floats(ByteView bytes) {
  std::vector<float> values(bytes.size() / 4);
  for (std::size_t k = 0; k < values.size(); ++k) {
    std::uint32_t bits = 0;
    for (unsigned i = 0; i < 4; ++i) bits |= static_cast<std::uint32_t>(bytes[4 * k + i]) << (8 * i);
    values[k] = std::bit_cast<float>(bits);
  }
  return values;
}

Json to_json(const SelfTest& test) {
  return {{"rows", test.rows},
          {"inputs", to_base64(test.inputs)},
          {"outputs", to_base64(little_endian(test.outputs))},
          {"tolerance", test.tolerance}};
}

// The keys "outputs" and "tolerance" of a self-test or of an export.
void read_answers(Fields& fields, std::int64_t rows, std::vector<float>& outputs, float& tolerance) {
  Bytes bytes;
  double allowed = 0;
  fields.bytes("outputs", bytes, kOutputsMax * 4);
  fields.number("tolerance", allowed, 0, 1e6);
  if (fields.failed()) return;
  const auto row_bytes = static_cast<std::size_t>(rows) * 4;
  const bool fits = rows == 0 ? bytes.empty() : !bytes.empty() && bytes.size() % row_bytes == 0;
  if (!fits) fields.fail_key("outputs", "must hold the same number of 32-bit floats for each row");
  outputs = floats(bytes);
  for (const float value : outputs)
    if (!std::isfinite(value)) fields.fail_key("outputs", "must hold finite numbers");
  tolerance = static_cast<float>(allowed);
}

Result<SelfTest> self_test_from(const Json& json, const Signal& signal) {
  SelfTest test;
  Fields fields("self_test", json);
  fields.integer("rows", test.rows, 0, kSelfTestRowsMax);
  fields.bytes("inputs", test.inputs, kSelfTestInputBytesMax);
  if (!fields.failed() && test.inputs.size() != static_cast<std::size_t>(test.rows) * signal.sample_bytes())
    fields.fail_key("inputs", "must hold `rows` samples of the signal");
  read_answers(fields, test.rows, test.outputs, test.tolerance);
  return fields.finish(std::move(test));
}

Result<ReleaseDelta> delta_from(const Json& json, const PipelineName& pipeline, const ModelHash& model) {
  ReleaseDelta delta;
  Fields fields("delta", json);
  fields.digest("base", delta.base);
  if (const Json* file = fields.object("file"))
    fields.take(target_file_from(*file, delta_path(pipeline, delta.base, model)), delta.file);
  return fields.finish(std::move(delta));
}

Json to_json(const std::vector<ReleaseDelta>& deltas) {
  Json list = Json::array();
  for (const ReleaseDelta& delta : deltas) list.push_back({{"base", delta.base.hex()}, {"file", to_json(delta.file)}});
  return list;
}

// The keys "model", "full" and "deltas" of a manifest or of one of its exports.
void read_files(Fields& fields, const PipelineName& pipeline, ModelHash& model, TargetFile& full,
                std::vector<ReleaseDelta>& deltas) {
  fields.digest("model", model);
  if (const Json* file = fields.object("full")) fields.take(target_file_from(*file, model_path(pipeline, model)), full);
  if (!fields.failed() && full.sha256 != model.sha256) fields.fail_key("full", "must have the model's hash");
  const Json* list = fields.array("deltas", kDeltasMax);
  if (list == nullptr) return;
  for (const Json& item : *list) {
    ReleaseDelta delta;
    fields.take(delta_from(item, pipeline, model), delta);
    if (fields.failed()) return;
    deltas.push_back(std::move(delta));
  }
}

Json to_json(const ReleaseExport& item) {
  return {{"format", item.format},
          {"model", item.model.hex()},
          {"full", to_json(item.full)},
          {"deltas", to_json(item.deltas)},
          {"outputs", to_base64(little_endian(item.outputs))},
          {"tolerance", item.tolerance}};
}

Result<ReleaseExport> export_from(const Json& json, const ReleaseManifest& manifest) {
  ReleaseExport item;
  Fields fields("export", json);
  fields.text("format", item.format, 64);
  if (!fields.failed() && !is_export_format(item.format))
    fields.fail_key("format", "must be the plain name of a format other than 'onnx'");
  read_files(fields, manifest.pipeline, item.model, item.full, item.deltas);
  read_answers(fields, manifest.self_test.rows, item.outputs, item.tolerance);
  return fields.finish(std::move(item));
}

void read_exports(Fields& fields, ReleaseManifest& manifest) {
  if (!fields.has("exports")) return;  // from a cloud that knew one format
  const Json* list = fields.array("exports", kExportsMax);
  if (list == nullptr) return;
  for (const Json& json : *list) {
    ReleaseExport item;
    fields.take(export_from(json, manifest), item);
    for (const ReleaseExport& other : manifest.exports)
      if (other.format == item.format) fields.fail_key("exports", "must name each format once");
    if (fields.failed()) return;
    manifest.exports.push_back(std::move(item));
  }
}

std::string folder_for(const PipelineName& pipeline) {
  return "models/" + pipeline.value + "/";
}

}  // namespace

std::string manifest_path(const PipelineName& pipeline, ReleaseSeq seq) {
  return folder_for(pipeline) + std::to_string(seq.value) + ".manifest.json";
}

std::string model_path(const PipelineName& pipeline, const ModelHash& model) {
  return folder_for(pipeline) + model.hex() + ".onnx";
}

std::string delta_path(const PipelineName& pipeline, const ModelHash& base, const ModelHash& target) {
  return folder_for(pipeline) + base.hex() + "-" + target.hex() + ".delta";
}

ReleaseManifest ReleaseManifest::in_format(std::string_view format) const {
  ReleaseManifest seen = *this;
  seen.exports.clear();
  for (const ReleaseExport& item : exports) {
    if (item.format != format) continue;
    seen.model = item.model;
    seen.full = item.full;
    seen.deltas = item.deltas;
    seen.self_test.outputs = item.outputs;
    seen.self_test.tolerance = item.tolerance;
  }
  return seen;
}

Bytes to_bytes(const ReleaseManifest& manifest) {
  Json json{{"format", kFormat},
            {"pipeline", manifest.pipeline.value},
            {"seq", manifest.seq.value},
            {"created", to_rfc3339(manifest.created)},
            {"signal", to_json(manifest.signal)},
            {"model", manifest.model.hex()},
            {"full", to_json(manifest.full)},
            {"deltas", to_json(manifest.deltas)},
            {"metric", manifest.metric},
            {"metric_value", manifest.metric_value},
            {"goal_met", manifest.goal_met},
            {"self_test", to_json(manifest.self_test)},
            {"note", clip(manifest.note, kTextBytesMax)}};
  if (!manifest.exports.empty()) {
    Json& exports = json["exports"] = Json::array();
    for (const ReleaseExport& item : manifest.exports) exports.push_back(to_json(item));
  }
  return dump_bytes(json);
}

Result<ReleaseManifest> release_manifest_from(ByteView bytes) {
  if (bytes.size() > kManifestBytesMax) return fail(Code::invalid, "a release manifest has at most 4194304 bytes");
  HONE_TRY(const Json json, parse_json(bytes));
  ReleaseManifest manifest;
  Fields fields("release manifest", json);
  std::int64_t format = 0;
  fields.integer("format", format, kFormat, kFormat);
  fields.pipeline("pipeline", manifest.pipeline);
  fields.release("seq", manifest.seq);
  if (!fields.failed() && manifest.seq.value == 0) fields.fail_key("seq", "must be 1 or more");
  std::string created;
  fields.text("created", created, 32);
  if (!fields.failed()) fields.take(from_rfc3339(created), manifest.created);
  if (const Json* signal = fields.object("signal")) fields.take(signal_from(*signal), manifest.signal);
  read_files(fields, manifest.pipeline, manifest.model, manifest.full, manifest.deltas);
  fields.text("metric", manifest.metric, 32);
  fields.number("metric_value", manifest.metric_value, -1e300, 1e300);
  fields.flag("goal_met", manifest.goal_met);
  if (const Json* test = fields.object("self_test"))
    fields.take(self_test_from(*test, manifest.signal), manifest.self_test);
  read_exports(fields, manifest);
  fields.text("note", manifest.note, kTextBytesMax);
  return fields.finish(std::move(manifest));
}

}  // namespace hone::wire
