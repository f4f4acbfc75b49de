#include "shared/wire/dataset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hone::wire {
namespace {

using ::testing::HasSubstr;

BlobHash blob(std::string_view text) {
  return {sha256(as_bytes(text))};
}

DatasetManifest example() {
  DatasetManifest manifest;
  manifest.pipeline = PipelineName("digits");
  manifest.signal = {{1, 28, 28}, DType::uint8, 0.5, {"0", "1"}};
  manifest.devices = {"dev-a", "dev-b"};
  manifest.training = {{100, blob("x1"), blob("y1"), blob("t1"), blob("d1")},
                       {50, blob("x2"), blob("y2"), blob("t2"), blob("d2")}};
  manifest.holdout = {{7, blob("x3"), blob("y3"), blob("t3"), blob("d3")}};
  return manifest;
}

Json parsed(const DatasetManifest& manifest) {
  return parse_json(canonical_bytes(manifest)).value();
}

TEST(Dataset, CanonicalBytesHaveSortedKeysAndNoSpaces) {
  const std::string text = hone::to_string(canonical_bytes(example()));
  EXPECT_THAT(text, ::testing::StartsWith(R"({"devices":["dev-a","dev-b"],"format":1,"holdout":[{"d":")"));
  EXPECT_EQ(text.find(' '), std::string::npos);
  EXPECT_EQ(text.find('\n'), std::string::npos);
}

TEST(Dataset, ReadsBackToTheSameVersion) {
  const auto back = dataset_manifest_from(canonical_bytes(example()));
  ASSERT_TRUE(back) << back.error().context;
  EXPECT_EQ(hash_of(*back), hash_of(example()));
  EXPECT_EQ(hash_of(*back).sha256, sha256(canonical_bytes(example())));
  EXPECT_EQ(back->training_rows(), 150);
  EXPECT_EQ(back->holdout_rows(), 7);
  EXPECT_EQ(back->training[1].t, blob("t2"));
}

TEST(Dataset, EveryChangeGivesAnotherVersion) {
  const DatasetHash before = hash_of(example());
  DatasetManifest changed = example();
  std::swap(changed.training[0], changed.training[1]);
  EXPECT_NE(hash_of(changed), before);
  changed = example();
  changed.holdout.swap(changed.training);
  EXPECT_NE(hash_of(changed), before);
  changed = example();
  changed.signal.scale = 0.25;
  EXPECT_NE(hash_of(changed), before);
}

TEST(Dataset, NamesWhatIsWrong) {
  const auto refusal = [](const Json& json) {
    const auto back = dataset_manifest_from(dump_bytes(json));
    return back ? std::string("accepted") : back.error().context;
  };
  Json json = parsed(example());
  EXPECT_EQ(refusal(json), "accepted");
  json["format"] = 2;
  EXPECT_THAT(refusal(json), HasSubstr("'format'"));
  json = parsed(example());
  json["training"][0]["rows"] = 0;
  EXPECT_THAT(refusal(json), HasSubstr("'rows'"));
  json = parsed(example());
  json["holdout"][0]["x"] = "../../etc/passwd";
  EXPECT_THAT(refusal(json), HasSubstr("'x' must be a SHA-256"));
  json = parsed(example());
  json["devices"][0] = "a/b";
  EXPECT_THAT(refusal(json), HasSubstr("'devices'"));
  json = parsed(example());
  json.erase("pipeline");
  EXPECT_THAT(refusal(json), HasSubstr("pipeline"));
}

}  // namespace
}  // namespace hone::wire
