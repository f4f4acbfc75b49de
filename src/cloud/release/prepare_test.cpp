#include "cloud/release/prepare.hpp"

#include <gtest/gtest.h>

#include <array>

#include "cloud/store/files/blobs.hpp"
#include "platform/sim/sim.hpp"
#include "shared/delta/apply.hpp"
#include "shared/model/run/testing_model.hpp"

namespace hone::cloud {
namespace {

ModelHash model(const char* name) {
  return ModelHash{sha256(as_bytes(name))};
}

ReleaseRow published(std::uint64_t seq, const char* name) {
  ReleaseRow row;
  row.pipeline = PipelineName("p");
  row.seq = {seq};
  row.state = ReleaseState::published;
  row.model = model(name);
  return row;
}

TEST(DeltaBases, AreTheLastDistinctPublishedModels) {
  auto unpublished = published(6, "f");
  unpublished.state = ReleaseState::prepared;
  const std::vector<ReleaseRow> releases{unpublished,       published(5, "b"), published(4, "c"),
                                         published(3, "b"), published(2, "a"), published(1, "z")};
  const auto bases = [&](const ModelHash& target, int count) {
    std::vector<ModelHash> models;
    for (const DeltaBase& base : delta_bases(releases, target, count)) models.push_back(base.model);
    return models;
  };
  EXPECT_EQ(bases(model("new"), 3), (std::vector{model("b"), model("c"), model("a")}));
  EXPECT_EQ(bases(model("c"), 2), (std::vector{model("b"), model("a")})) << "not from itself";
  EXPECT_TRUE(delta_bases(releases, model("new"), 0).empty());
}

struct PrepareTest : ::testing::Test {
  PrepareTest() {
    platform::SimRandom random(7);
    old_bytes.resize(200'000);
    random.fill(old_bytes);
    new_bytes = old_bytes;
    new_bytes[1000] ^= 1;
    blobs = open_blob_folder(files, "blobs").value();
    old_model = ModelHash{blobs->put(old_bytes)->sha256};
    release.pipeline = PipelineName("p");
    release.seq = {2};
    release.model = ModelHash{blobs->put(new_bytes)->sha256};
    release.metric = "accuracy";
    release.metric_value = 0.99;
    release.goal_met = true;
    release.judged = from_unix_ms(1'700'000'000'000);
    signal.shape = {2};
    signal.dtype = wire::DType::uint8;
    signal.labels = {"a", "b"};
    self_test.rows = 1;
    self_test.inputs = {1, 2};
    self_test.outputs = {0.5F, 0.25F};
    self_test.tolerance = 1e-3F;
  }
  wire::ReleaseManifest manifest_of(const BlobHash& blob) {
    return wire::release_manifest_from(blobs->get(blob, wire::kManifestBytesMax).value()).value();
  }

  platform::SimFiles files;
  std::unique_ptr<BlobStore> blobs;
  Bytes old_bytes, new_bytes;
  ModelHash old_model;
  ReleaseRow release;
  wire::Signal signal;
  wire::SelfTest self_test;
};

TEST_F(PrepareTest, MakesADeltaThatRebuildsTheModel) {
  const auto blob = prepare(release, signal, {self_test, {DeltaBase{old_model}}}, {}, *blobs);
  ASSERT_TRUE(blob.has_value()) << blob.error().context;
  const auto manifest = manifest_of(*blob);
  EXPECT_EQ(manifest.full.sha256, release.model.sha256);
  ASSERT_EQ(manifest.deltas.size(), 1U);
  EXPECT_EQ(manifest.deltas[0].base, old_model);
  EXPECT_LT(manifest.deltas[0].file.bytes, 1000U);
  const Bytes patch = blobs->get(BlobHash{manifest.deltas[0].file.sha256}, 1 << 20).value();
  const auto rebuilt = delta::apply(old_bytes, patch, 1 << 20);
  ASSERT_TRUE(rebuilt.has_value()) << rebuilt.error().context;
  EXPECT_EQ(*rebuilt, new_bytes);
}

TEST_F(PrepareTest, LeavesOutADeltaThatIsNotSmaller) {
  platform::SimRandom other(8);
  Bytes noise(200'000);
  other.fill(noise);
  const ModelHash unrelated{blobs->put(noise)->sha256};
  const auto manifest = manifest_of(prepare(release, signal, {self_test, {DeltaBase{unrelated}, DeltaBase{old_model}}}, {}, *blobs).value());
  ASSERT_EQ(manifest.deltas.size(), 1U);
  EXPECT_EQ(manifest.deltas[0].base, old_model);
}

// An update of rank one, whose factors the trainer knows.
TEST_F(PrepareTest, UsesWhatTheTrainerKnowsOfTheWayFromTheBase) {
  constexpr std::size_t kRows = 200, kColumns = 150;
  platform::SimRandom random(9);
  const auto draw = [&](int below) {
    std::array<std::uint8_t, 2> two{};
    random.fill(two);
    return (two[0] | two[1] << 8) % below;
  };
  model::testing::LinearModel linear;
  linear.signal.shape = {kRows};
  linear.signal.dtype = wire::DType::float32;
  linear.bias.assign(kColumns, 0.F);
  for (std::size_t i = 0; i < kRows * kColumns; ++i) linear.weights.push_back(static_cast<float>(draw(30'000)) * 1e-5F);
  Json u = Json::array(), v = Json::array();
  for (std::size_t i = 0; i < kRows; ++i) u.push_back(draw(15) - 7);
  for (std::size_t j = 0; j < kColumns; ++j) v.push_back(draw(15) - 7);
  const ModelHash base{blobs->put(model::testing::onnx_bytes(linear))->sha256};
  for (std::size_t i = 0; i < kRows; ++i)
    for (std::size_t j = 0; j < kColumns; ++j)
      linear.weights[i * kColumns + j] += static_cast<float>(u[i].get<int>() * v[j].get<int>()) * 0x1p-12F;
  release.model = ModelHash{blobs->put(model::testing::onnx_bytes(linear))->sha256};
  const Json hints = Json::array({{{"tensor", "weights"}, {"rows", kRows}, {"columns", kColumns}, {"rank", 1},
                                   {"shift", 0}, {"scale", 12}, {"u", u}, {"v", v}}});
  const auto bytes_with = [&](std::optional<BlobHash> blob) {
    const auto manifest = manifest_of(prepare(release, signal, {self_test, {DeltaBase{base, blob}}}, {}, *blobs).value());
    return manifest.deltas.at(0).file.bytes;
  };
  const auto without = bytes_with({});
  EXPECT_LT(bytes_with(blobs->put(dump_bytes(hints)).value()), without / 4);
  EXPECT_EQ(bytes_with(blobs->put(to_bytes("no hints")).value()), without) << "they cost size, not the release";
}

TEST(DeltaBases, OfAnExportAreTheReleasesThatHaveOne) {
  auto with_export = published(3, "b");
  with_export.exports = {{"onnx-int8", model("b8")}};
  auto older = published(2, "a");
  older.exports = {{"onnx-int8", model("a8")}};
  const std::vector<ReleaseRow> releases{published(4, "c"), with_export, older, published(1, "z")};
  const auto bases = delta_bases(releases, model("new8"), 4, "onnx-int8");
  ASSERT_EQ(bases.size(), 2U);
  EXPECT_EQ(bases[0].model, model("b8"));
  EXPECT_EQ(bases[1].model, model("a8"));
}

TEST_F(PrepareTest, GivesEachExportItsOwnFileDeltaAndAnswers) {
  Bytes old8(old_bytes.begin(), old_bytes.begin() + 50'000), new8 = old8;
  new8[500] ^= 1;
  const ModelHash base8{blobs->put(old8)->sha256};
  release.exports = {{"onnx-int8", ModelHash{blobs->put(new8)->sha256}}};
  wire::SelfTest answers8 = self_test;
  answers8.outputs = {0.75F, 0.125F};
  answers8.tolerance = 0.25F;
  const auto blob =
      prepare(release, signal, {self_test, {DeltaBase{old_model}}}, {{answers8, {DeltaBase{base8}}}}, *blobs);
  ASSERT_TRUE(blob.has_value()) << blob.error().context;
  const auto plain = manifest_of(*blob), seen = plain.in_format("onnx-int8");
  EXPECT_EQ(plain.full.bytes, 200'000U);
  EXPECT_EQ(plain.self_test.outputs, self_test.outputs);
  EXPECT_EQ(seen.full.sha256, release.exports[0].model.sha256);
  EXPECT_EQ(seen.self_test.outputs, answers8.outputs);
  ASSERT_EQ(seen.deltas.size(), 1U);
  EXPECT_EQ(seen.deltas[0].base, base8);
  const Bytes patch = blobs->get(BlobHash{seen.deltas[0].file.sha256}, 1 << 20).value();
  EXPECT_EQ(delta::apply(old8, patch, 1 << 20).value(), new8);
}

TEST_F(PrepareTest, GivesTheSameManifestWhenItIsRepeatedAfterACrash) {
  EXPECT_EQ(prepare(release, signal, {self_test, {DeltaBase{old_model}}}, {}, *blobs).value(),
            prepare(release, signal, {self_test, {DeltaBase{old_model}}}, {}, *blobs).value());
}

}  // namespace
}  // namespace hone::cloud
