// The quantised file through the runtime, beside the file that it was made from.
#include "trainer/quantise/quantise.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "shared/model/run/testing_model.hpp"
#include "trainer/onnx_writer.hpp"
#include "trainer/testing_rows.hpp"

namespace hone::trainer {
namespace {

using namespace testing;
using ::testing::HasSubstr;

// As large as a trained network's: a standard deviation of about sqrt(2 / fan in).
Weights drawn(const Plan& plan, std::uint64_t seed) {
  Draw draw(seed);
  Weights weights;
  for (const PlannedTensor& planned : plan.tensors()) {
    Tensor tensor{planned.name, planned.shape, std::vector<float>(static_cast<std::size_t>(product(planned.shape)))};
    const float size = std::sqrt(6.F * static_cast<float>(planned.shape[0]) / static_cast<float>(tensor.values.size()));
    for (float& value : tensor.values) value = (static_cast<float>(draw()) / 128.F - 1.F) * size;
    weights.push_back(std::move(tensor));
  }
  return weights;
}

Rows images(std::size_t count, const wire::Signal& signal, std::uint64_t seed) {
  Rows rows;
  rows.signal = signal;
  Draw draw(seed);
  for (std::size_t i = 0; i < count * signal.elements(); ++i) {
    if (signal.dtype == wire::DType::uint8) {
      rows.x.push_back(draw());
      continue;
    }
    const float value = static_cast<float>(draw()) / 16.F - 8.F;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&value);
    rows.x.insert(rows.x.end(), bytes, bytes + sizeof value);
  }
  rows.y.assign(count, -1);
  return rows;
}

class Quantise : public ::testing::Test {
 protected:
  Quantise() {
    auto opened = model::make_onnx_runtime();
    EXPECT_TRUE(opened) << opened.error().context;
    if (opened) runtime = std::move(*opened);
  }
  Bytes onnx_of(const Plan& plan, const Weights& weights) {
    OnnxLineage lineage;
    lineage.pipeline = PipelineName("digits");
    return write_onnx(plan, weights, lineage).value();
  }
  std::vector<float> scores(const Bytes& onnx, const Rows& rows) {
    const auto runner = runtime->load(onnx, rows.signal);
    EXPECT_TRUE(runner) << runner.error().context;
    if (!runner) return {};
    std::vector<float> out(rows.rows() * static_cast<std::size_t>((*runner)->width()));
    const auto ran = (*runner)->run(rows.x, static_cast<std::int64_t>(rows.rows()), out);
    EXPECT_TRUE(ran) << ran.error().context;
    return out;
  }
  // The root of the squared difference as a share of the first one's spread.
  static double relative_error(const std::vector<float>& exact, const std::vector<float>& other) {
    double mean = 0, spread = 0, error = 0;
    for (const float value : exact) mean += value / static_cast<double>(exact.size());
    for (std::size_t i = 0; i < exact.size(); ++i) {
      spread += (exact[i] - mean) * (exact[i] - mean);
      error += std::pow(static_cast<double>(exact[i]) - static_cast<double>(other[i]), 2);
    }
    return std::sqrt(error / spread);
  }

  std::unique_ptr<model::Runtime> runtime;
  Plan cnn = *plan_network(signal({1, 12, 12}, 10), {conv(8, 3), relu(), maxpool(2), conv(16, 3), relu(), maxpool(2),
                                                     dense(64), relu(), dense(10)});
};

TEST_F(Quantise, AConvolutionalNetworkAnswersNearlyTheSameInLessThanHalfTheBytes) {
  const Bytes onnx = onnx_of(cnn, drawn(cnn, 1));
  const auto int8 = quantise_onnx(onnx, images(300, cnn.signal, 2), *runtime);
  ASSERT_TRUE(int8) << int8.error().context;
  EXPECT_LT(int8->size() * 2, onnx.size()) << "a network of a usual size gets nearer to a quarter";
  const Rows fresh = images(100, cnn.signal, 3);
  const auto exact = scores(onnx, fresh), rough = scores(*int8, fresh);
  EXPECT_LT(relative_error(exact, rough), 0.05);
  EXPECT_GT(relative_error(exact, rough), 1e-5) << "these are no eight bits";
}

TEST_F(Quantise, ADenseNetworkOverFloatsToo) {
  wire::Signal sensed = signal({20}, 3);
  sensed.dtype = wire::DType::float32;
  sensed.scale = 0.5;
  const Plan mlp = *plan_network(sensed, {dense(64), relu(), dense(32), relu(), dense(3)});
  const Bytes onnx = onnx_of(mlp, drawn(mlp, 1));
  const auto int8 = quantise_onnx(onnx, images(300, sensed, 2), *runtime);
  ASSERT_TRUE(int8) << int8.error().context;
  const Rows fresh = images(100, sensed, 3);
  EXPECT_LT(relative_error(scores(onnx, fresh), scores(*int8, fresh)), 0.05);
}

TEST_F(Quantise, GivesTheSameBytesForTheSameArguments) {
  const Bytes onnx = onnx_of(cnn, drawn(cnn, 1));
  const Rows rows = images(64, cnn.signal, 2);
  EXPECT_EQ(quantise_onnx(onnx, rows, *runtime).value(), quantise_onnx(onnx, rows, *runtime).value());
}

// The largest sums that there can be: all bytes 255, all weights at their bound and of one sign.
TEST_F(Quantise, NoKernelSaturates) {
  wire::Signal bright = signal({64}, 2);
  const Plan one = *plan_network(bright, {dense(2)});
  Weights weights = drawn(one, 1);
  std::fill(weights[0].values.begin(), weights[0].values.begin() + 64, 1.F);
  std::fill(weights[0].values.begin() + 64, weights[0].values.end(), -1.F);
  const Bytes onnx = onnx_of(one, weights);
  Rows rows = images(4, bright, 2);
  std::fill(rows.x.begin(), rows.x.end(), 255);
  const auto int8 = quantise_onnx(onnx, rows, *runtime);
  ASSERT_TRUE(int8) << int8.error().context;
  const auto exact = scores(onnx, rows), rough = scores(*int8, rows);
  for (std::size_t i = 0; i < exact.size(); ++i) EXPECT_NEAR(rough[i], exact[i], 0.01F * std::abs(exact[i]));
}

TEST_F(Quantise, FewBytesChangeWhenWeightsMoveALittle) {
  const Weights before = drawn(cnn, 1);
  Weights after = before;
  Draw draw(9);
  for (Tensor& tensor : after)
    for (float& value : tensor.values) value *= 1.F + (static_cast<float>(draw()) / 128.F - 1.F) * 0.002F;
  const Rows rows = images(300, cnn.signal, 2);
  const Bytes one = quantise_onnx(onnx_of(cnn, before), rows, *runtime).value();
  const Bytes two = quantise_onnx(onnx_of(cnn, after), rows, *runtime).value();
  ASSERT_EQ(one.size(), two.size());
  std::size_t changed = 0;
  for (std::size_t i = 0; i < one.size(); ++i) changed += one[i] != two[i] ? 1 : 0;
  EXPECT_GT(changed, 0U);
  EXPECT_LT(changed, one.size() / 8);
}

TEST_F(Quantise, RefusesWhatItCannotQuantise) {
  const Rows rows = images(10, cnn.signal, 2);
  const auto refusal = [&](const Bytes& onnx, const Rows& with) {
    const auto answer = quantise_onnx(onnx, with, *runtime);
    return answer ? std::string("accepted") : answer.error().context;
  };
  const Bytes onnx = onnx_of(cnn, drawn(cnn, 1));
  EXPECT_THAT(refusal(to_bytes("no model"), rows), HasSubstr("no ONNX file"));
  EXPECT_THAT(refusal(onnx, images(0, cnn.signal, 2)), HasSubstr("no rows"));
  EXPECT_THAT(refusal(onnx, images(10, signal({1, 5, 5}, 10), 2)), HasSubstr("shape"));
  Weights broken = drawn(cnn, 1);
  broken[0].values[0] = std::nanf("");
  EXPECT_THAT(refusal(onnx_of(cnn, broken), rows), HasSubstr("not finite"));
  // A Gemm whose weights lie the other way round is left alone.
  model::testing::LinearModel linear;
  linear.signal = signal({4}, 2);
  linear.weights = {1, 2, 3, 4, 5, 6, 7, 8};
  linear.bias = {0, 0};
  EXPECT_THAT(refusal(model::testing::onnx_bytes(linear), images(10, linear.signal, 2)), HasSubstr("nothing to quantise"));
}

}  // namespace
}  // namespace hone::trainer
