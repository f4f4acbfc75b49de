#include "shared/wire/release.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

namespace hone::wire {
namespace {

using ::testing::HasSubstr;

ModelHash model(std::string_view text) {
  return {sha256(as_bytes(text))};
}

ReleaseManifest example() {
  ReleaseManifest manifest;
  manifest.pipeline = PipelineName("digits");
  manifest.seq = ReleaseSeq{7};
  manifest.created = from_rfc3339("2026-11-23T04:05:06Z").value();
  manifest.signal = {{2}, DType::float32, 0.00392156862745098, {"no", "yes"}};
  manifest.model = model("new");
  manifest.full = {model_path(manifest.pipeline, manifest.model), 12345, manifest.model.sha256};
  manifest.deltas = {
      {model("old"), {delta_path(manifest.pipeline, model("old"), manifest.model), 99, sha256(as_bytes("d"))}}};
  manifest.metric = "accuracy";
  manifest.metric_value = 0.9876543210123456;
  manifest.goal_met = true;
  manifest.self_test = {2, Bytes(16, 3), {0.1f, -2.5f, 1e-42f, 3e38f}, 1e-3f};
  manifest.note = "rollback of 6 to 5: it misread sevens";
  return manifest;
}

Json parsed(const ReleaseManifest& manifest) {
  return parse_json(to_bytes(manifest)).value();
}

std::string refusal(const Json& json) {
  const auto back = release_manifest_from(dump_bytes(json));
  return back ? std::string("accepted") : back.error().context;
}

TEST(Release, NamesFilesFlatBelowItsPipeline) {
  const PipelineName pipeline("digits");
  EXPECT_EQ(manifest_path(pipeline, ReleaseSeq{12}), "models/digits/12.manifest.json");
  EXPECT_EQ(model_path(pipeline, model("m")), "models/digits/" + model("m").hex() + ".onnx");
  EXPECT_EQ(delta_path(pipeline, model("a"), model("b")),
            "models/digits/" + model("a").hex() + "-" + model("b").hex() + ".delta");
}

TEST(Release, ManifestSurvivesBitForBit) {
  const ReleaseManifest manifest = example();
  const auto back = release_manifest_from(to_bytes(manifest));
  ASSERT_TRUE(back) << back.error().context;
  EXPECT_EQ(to_bytes(*back), to_bytes(manifest));
  EXPECT_EQ(back->seq, manifest.seq);
  EXPECT_EQ(back->created, manifest.created);
  EXPECT_EQ(back->signal, manifest.signal);
  EXPECT_EQ(back->deltas[0].base, model("old"));
  EXPECT_EQ(back->metric_value, manifest.metric_value);
  EXPECT_EQ(back->self_test.outputs, manifest.self_test.outputs);
  EXPECT_EQ(back->self_test.tolerance, manifest.self_test.tolerance);
  EXPECT_EQ(back->note, manifest.note);
}

TEST(Release, WritesItsTimeInRfc3339) {
  EXPECT_EQ(parsed(example())["created"], "2026-11-23T04:05:06Z");
}

TEST(Release, RefusesFilesThatAreNotTheOnesItsHashesName) {
  Json json = parsed(example());
  EXPECT_EQ(refusal(json), "accepted");
  json["full"]["path"] = "models/digits/../../root.json";
  EXPECT_THAT(refusal(json), HasSubstr("'path' must be models/digits/"));
  json = parsed(example());
  json["full"]["sha256"] = model("other").hex();
  EXPECT_THAT(refusal(json), HasSubstr("model's hash"));
  json = parsed(example());
  json["deltas"][0]["base"] = model("other").hex();
  EXPECT_THAT(refusal(json), HasSubstr("delta: file: 'path'"));
  json = parsed(example());
  json["full"]["bytes"] = std::int64_t{5} << 30;
  EXPECT_THAT(refusal(json), HasSubstr("'bytes'"));
}

TEST(Release, RefusesASelfTestThatDoesNotFitTheSignal) {
  Json json = parsed(example());
  json["self_test"]["rows"] = 3;
  EXPECT_THAT(refusal(json), HasSubstr("'inputs'"));
  json = parsed(example());
  json["self_test"]["outputs"] = to_base64(Bytes(12));
  EXPECT_THAT(refusal(json), HasSubstr("'outputs'"));
  json = parsed(example());
  json["self_test"]["rows"] = 65;
  EXPECT_THAT(refusal(json), HasSubstr("'rows'"));
  ReleaseManifest manifest = example();
  manifest.self_test.outputs[1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(refusal(parsed(manifest)), HasSubstr("finite"));
  json = parsed(example());
  json["self_test"]["tolerance"] = -1;
  EXPECT_THAT(refusal(json), HasSubstr("tolerance"));
}

TEST(Release, RefusesReleaseZeroAndOtherFormats) {
  Json json = parsed(example());
  json["seq"] = 0;
  EXPECT_THAT(refusal(json), HasSubstr("'seq'"));
  json = parsed(example());
  json["format"] = 2;
  EXPECT_THAT(refusal(json), HasSubstr("'format'"));
  EXPECT_THAT(release_manifest_from(Bytes(kManifestBytesMax + 1, ' ')).error().context, HasSubstr("4194304"));
}

ReleaseManifest example_with_export() {
  ReleaseManifest manifest = example();
  ReleaseExport& item = manifest.exports.emplace_back();
  item.format = "onnx-int8";
  item.model = model("new8");
  item.full = {model_path(manifest.pipeline, item.model), 3456, item.model.sha256};
  item.deltas = {{model("old8"), {delta_path(manifest.pipeline, model("old8"), item.model), 44, sha256(as_bytes("d8"))}}};
  item.outputs = {0.25f, -2.25f, 0, 3e38f};
  item.tolerance = 0.5f;
  return manifest;
}

TEST(Release, ExportsSurviveBitForBit) {
  const ReleaseManifest manifest = example_with_export();
  const auto back = release_manifest_from(to_bytes(manifest));
  ASSERT_TRUE(back) << back.error().context;
  EXPECT_EQ(to_bytes(*back), to_bytes(manifest));
  ASSERT_EQ(back->exports.size(), 1U);
  EXPECT_EQ(back->exports[0].model, model("new8"));
  EXPECT_EQ(back->exports[0].deltas.at(0).base, model("old8"));
  EXPECT_EQ(back->exports[0].outputs, manifest.exports[0].outputs);
  EXPECT_FALSE(parsed(example()).contains("exports")) << "as every cloud wrote it before there were any";
}

TEST(Release, ADeviceOfAFormatSeesThatExportOrElseThePlainFile) {
  const ReleaseManifest manifest = example_with_export();
  const ReleaseManifest int8 = manifest.in_format("onnx-int8");
  EXPECT_EQ(int8.model, model("new8"));
  EXPECT_EQ(int8.full.bytes, 3456U);
  EXPECT_EQ(int8.deltas.at(0).base, model("old8"));
  EXPECT_EQ(int8.self_test.inputs, manifest.self_test.inputs);
  EXPECT_EQ(int8.self_test.outputs, manifest.exports[0].outputs);
  EXPECT_EQ(int8.self_test.tolerance, 0.5f);
  EXPECT_EQ(int8.seq, manifest.seq);
  for (const char* other : {"onnx", "tflite"}) {
    const ReleaseManifest plain = manifest.in_format(other);
    EXPECT_EQ(plain.model, manifest.model);
    EXPECT_EQ(plain.self_test.outputs, manifest.self_test.outputs);
  }
}

TEST(Release, RefusesExportsThatDoNotFit) {
  const auto with = [](const std::function<void(Json&)>& spoil) {
    Json json = parsed(example_with_export());
    spoil(json);
    return refusal(json);
  };
  EXPECT_EQ(with([](Json&) {}), "accepted");
  EXPECT_THAT(with([](Json& j) { j["exports"][0]["format"] = "onnx"; }), HasSubstr("'format'"));
  EXPECT_THAT(with([](Json& j) { j["exports"][0]["full"]["path"] = "models/digits/x.onnx"; }), HasSubstr("'path'"));
  EXPECT_THAT(with([](Json& j) { j["exports"][0]["full"]["sha256"] = model("x").hex(); }), HasSubstr("model's hash"));
  EXPECT_THAT(with([](Json& j) { j["exports"][0]["deltas"][0]["base"] = model("x").hex(); }), HasSubstr("'path'"));
  EXPECT_THAT(with([](Json& j) { j["exports"][0]["outputs"] = to_base64(Bytes(12)); }), HasSubstr("'outputs'"));
  EXPECT_THAT(with([](Json& j) { j["exports"][0]["tolerance"] = -1; }), HasSubstr("tolerance"));
  EXPECT_THAT(with([](Json& j) { j["exports"].push_back(j["exports"][0]); }), HasSubstr("once"));
  EXPECT_THAT(with([](Json& j) { j["exports"] = 3; }), HasSubstr("exports"));
}

TEST(Release, IgnoresKeysOfANewerWriter) {
  Json json = parsed(example());
  json["histogram"] = {1, 2, 3};
  EXPECT_EQ(refusal(json), "accepted");
}

}  // namespace
}  // namespace hone::wire
