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

Result<SelfTest> self_test_from(const Json& json, const Signal& signal) {
  SelfTest test;
  Fields fields("self_test", json);
  fields.integer("rows", test.rows, 0, kSelfTestRowsMax);
  fields.bytes("inputs", test.inputs, kSelfTestInputBytesMax);
  Bytes outputs;
  fields.bytes("outputs", outputs, kOutputsMax * 4);
  double tolerance = 0;
  fields.number("tolerance", tolerance, 0, 1e6);
  if (!fields.failed()) {
    const auto rows = static_cast<std::size_t>(test.rows);
    if (test.inputs.size() != rows * signal.sample_bytes())
      fields.fail_key("inputs", "must hold `rows` samples of the signal");
    const bool fits = rows == 0 ? outputs.empty() : !outputs.empty() && outputs.size() % (rows * 4) == 0;
    if (!fits) fields.fail_key("outputs", "must hold the same number of 32-bit floats for each row");
    test.outputs = floats(outputs);
    for (const float value : test.outputs)
      if (!std::isfinite(value)) fields.fail_key("outputs", "must hold finite numbers");
    test.tolerance = static_cast<float>(tolerance);
  }
  return fields.finish(std::move(test));
}

Result<ReleaseDelta> delta_from(const Json& json, const ReleaseManifest& manifest) {
  ReleaseDelta delta;
  Fields fields("delta", json);
  fields.digest("base", delta.base);
  if (const Json* file = fields.object("file"))
    fields.take(target_file_from(*file, delta_path(manifest.pipeline, delta.base, manifest.model)), delta.file);
  return fields.finish(std::move(delta));
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

Bytes to_bytes(const ReleaseManifest& manifest) {
  Json deltas = Json::array();
  for (const ReleaseDelta& delta : manifest.deltas)
    deltas.push_back({{"base", delta.base.hex()}, {"file", to_json(delta.file)}});
  return dump_bytes({{"format", kFormat},
                     {"pipeline", manifest.pipeline.value},
                     {"seq", manifest.seq.value},
                     {"created", to_rfc3339(manifest.created)},
                     {"signal", to_json(manifest.signal)},
                     {"model", manifest.model.hex()},
                     {"full", to_json(manifest.full)},
                     {"deltas", std::move(deltas)},
                     {"metric", manifest.metric},
                     {"metric_value", manifest.metric_value},
                     {"goal_met", manifest.goal_met},
                     {"self_test", to_json(manifest.self_test)},
                     {"note", clip(manifest.note, kTextBytesMax)}});
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
  fields.digest("model", manifest.model);
  if (const Json* full = fields.object("full"))
    fields.take(target_file_from(*full, model_path(manifest.pipeline, manifest.model)), manifest.full);
  if (!fields.failed() && manifest.full.sha256 != manifest.model.sha256)
    fields.fail_key("full", "must have the model's hash");
  if (const Json* deltas = fields.array("deltas", kDeltasMax)) {
    for (const Json& item : *deltas) {
      ReleaseDelta delta;
      fields.take(delta_from(item, manifest), delta);
      if (fields.failed()) break;
      manifest.deltas.push_back(std::move(delta));
    }
  }
  fields.text("metric", manifest.metric, 32);
  fields.number("metric_value", manifest.metric_value, -1e300, 1e300);
  fields.flag("goal_met", manifest.goal_met);
  if (const Json* test = fields.object("self_test"))
    fields.take(self_test_from(*test, manifest.signal), manifest.self_test);
  fields.text("note", manifest.note, kTextBytesMax);
  return fields.finish(std::move(manifest));
}

}  // namespace hone::wire
