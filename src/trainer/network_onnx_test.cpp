// What libtorch computes while it trains is what ONNX Runtime computes on a device.
#include <gtest/gtest.h>
#include <torch/utils.h>

#include "shared/model/run/runtime.hpp"
#include "trainer/network.hpp"
#include "trainer/onnx_writer.hpp"
#include "trainer/testing_rows.hpp"

namespace hone::trainer {
namespace {

using namespace testing;

void expect_same_scores(const Plan& plan, torch::ScalarType type) {
  constexpr std::int64_t kRows = 5;
  Bytes inputs(kRows * plan.signal.sample_bytes());
  Draw draw(9);
  if (type == torch::kFloat32) {
    for (std::size_t i = 0; i < inputs.size(); i += sizeof(float)) {
      const float value = static_cast<float>(draw()) / 64.0f - 2.0f;
      std::memcpy(inputs.data() + i, &value, sizeof value);
    }
  } else {
    for (std::uint8_t& byte : inputs) byte = draw();
  }

  torch::manual_seed(4);
  const torch::NoGradGuard no_gradient;
  const Network network(plan, torch::kCPU);
  Shape shape{kRows};
  shape.insert(shape.end(), plan.signal.shape.begin(), plan.signal.shape.end());
  const torch::Tensor scores = network.forward(torch::from_blob(inputs.data(), shape, type), false).contiguous();

  OnnxLineage lineage;
  lineage.pipeline = PipelineName("test");
  const auto onnx = write_onnx(plan, network.weights(), lineage);
  ASSERT_TRUE(onnx) << onnx.error().context;
  const auto runtime = model::make_onnx_runtime();
  ASSERT_TRUE(runtime) << runtime.error().context;
  const auto runner = (*runtime)->load(*onnx, plan.signal);
  ASSERT_TRUE(runner) << runner.error().context;
  ASSERT_EQ((*runner)->width(), plan.width);
  std::vector<float> outputs(static_cast<std::size_t>(kRows * plan.width));
  const auto ran = (*runner)->run(inputs, kRows, outputs);
  ASSERT_TRUE(ran) << ran.error().context;
  for (std::size_t i = 0; i < outputs.size(); ++i) EXPECT_NEAR(outputs[i], scores.data_ptr<float>()[i], 1e-4);
}

TEST(NetworkAndOnnx, AgreeOnImages) {
  expect_same_scores(*plan_network(signal({1, 28, 28}, 10), {conv(16, 3), relu(), maxpool(2), conv(32, 3), relu(),
                                                             maxpool(2), dense(128), relu(), dropout(0.5), dense(10)}),
                     torch::kUInt8);
}

TEST(NetworkAndOnnx, AgreeOnFlatFloats) {
  wire::Signal floats = signal({12}, 3);
  floats.dtype = wire::DType::float32;
  floats.scale = 0.5;
  expect_same_scores(*plan_network(floats, {dense(7), relu(), dense(3)}), torch::kFloat32);
}

TEST(NetworkAndOnnx, AgreeOnWideIntegersOfSeveralChannels) {
  wire::Signal shorts = signal({3, 9, 7}, 2);
  shorts.dtype = wire::DType::int16;
  shorts.scale = 1.0 / 32768;
  expect_same_scores(*plan_network(shorts, {conv(4, 2), maxpool(3), relu(), dense(2)}), torch::kInt16);
}

}  // namespace
}  // namespace hone::trainer
