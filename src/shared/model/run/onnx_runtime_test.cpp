#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <thread>
#include <vector>

#include "shared/model/run/runtime.hpp"
#include "shared/model/run/testing_cluster_model.hpp"
#include "shared/model/run/testing_model.hpp"

namespace hone::model {
namespace {

using testing::LinearModel;
using testing::onnx_bytes;

// Two pixels, three scores: {a, b, a + b + 0.5} of pixels scaled by 1/2.
LinearModel small() {
  LinearModel m;
  m.signal.shape = {1, 2};
  m.signal.dtype = wire::DType::uint8;
  m.signal.scale = 0.5;
  m.signal.labels = {"a", "b", "sum"};
  m.weights = {1, 0, 1, 0, 1, 1};
  m.bias = {0, 0, 0.5F};
  return m;
}

std::unique_ptr<Runtime> runtime() {
  auto made = make_onnx_runtime();
  EXPECT_TRUE(made) << made.error().context;
  return made ? std::move(*made) : nullptr;
}

TEST(OnnxRuntime, RunsRowsOfASignal) {
  const auto r = runtime();
  const LinearModel m = small();
  auto runner = r->load(onnx_bytes(m), m.signal);
  ASSERT_TRUE(runner) << runner.error().context;
  EXPECT_EQ((*runner)->width(), 3);
  const Bytes x{2, 4, 10, 0, 0, 1};
  std::array<float, 9> y{};
  const auto ran = (*runner)->run(x, 3, y);
  ASSERT_TRUE(ran) << ran.error().context;
  const std::array<float, 9> wanted{1, 2, 3.5F, 5, 0, 5.5F, 0, 0.5F, 1};
  EXPECT_EQ(y, wanted);
}

// Two features around (1, 2), the second in units of a half, and two clusters.
testing::ClusterModel clusters() {
  testing::ClusterModel m;
  m.signal.shape = {2};
  m.signal.dtype = wire::DType::uint8;
  m.center = {1, 2};
  m.inverse_spread = {1, 2};
  m.centroids = {0, 0, 3, 4};
  return m;
}

TEST(OnnxRuntime, GivesAFurtherOutputToWhomAsksForIt) {
  const auto r = runtime();
  const testing::ClusterModel m = clusters();
  auto runner = r->load(onnx_bytes(m), m.signal, "features");
  ASSERT_TRUE(runner) << runner.error().context;
  EXPECT_EQ((*runner)->width(), 3);
  EXPECT_EQ((*runner)->further_width(), 2);
  const Bytes x{1, 2, 4, 4, 1, 9};
  std::array<float, 9> y{};
  std::array<float, 6> features{};
  ASSERT_TRUE((*runner)->run(x, 3, y, features));
  EXPECT_EQ(features, (std::array<float, 6>{0, 0, 3, 4, 0, 5})) << "the last one is clipped";
  EXPECT_EQ(y, (std::array<float, 9>{0, 0, 0, 0, 0, 1, std::sqrt(10.0F), 1, 1}));
  std::array<float, 9> again{};
  ASSERT_TRUE((*runner)->run(x, 3, again)) << "and need not be fetched";
  EXPECT_EQ(again, y);
  std::array<float, 5> cramped{};
  EXPECT_EQ((*runner)->run(x, 3, y, cramped).error().code, Code::invalid);
}

TEST(OnnxRuntime, RefusesAFurtherOutputThatIsNotThere) {
  const auto r = runtime();
  testing::ClusterModel m = clusters();
  m.tells_features = false;
  EXPECT_EQ(r->load(onnx_bytes(m), m.signal, "features").error().code, Code::invalid);
  EXPECT_EQ(r->load(onnx_bytes(m), m.signal, "anomaly").error().code, Code::invalid) << "that is the first one";
  const auto plain = r->load(onnx_bytes(m), m.signal);
  ASSERT_TRUE(plain) << plain.error().context;
  EXPECT_EQ((*plain)->further_width(), 0);
  std::array<float, 3> y{};
  std::array<float, 2> features{};
  EXPECT_EQ((*plain)->run(Bytes{1, 2}, 1, y, features).error().code, Code::invalid);
}

TEST(OnnxRuntime, ReadsUnalignedFloats) {
  const auto r = runtime();
  LinearModel m = small();
  m.signal.dtype = wire::DType::float32;
  auto runner = r->load(onnx_bytes(m), m.signal);
  ASSERT_TRUE(runner) << runner.error().context;
  Bytes x(9);
  const std::array<float, 2> values{3, 5};
  std::memcpy(x.data() + 1, values.data(), 8);
  std::array<float, 3> y{};
  ASSERT_TRUE((*runner)->run(ByteView(x).subspan(1), 1, y));
  EXPECT_EQ(y, (std::array<float, 3>{1.5F, 2.5F, 4.5F}));
}

TEST(OnnxRuntime, RefusesWrongSizesAndStaysUsable) {
  const auto r = runtime();
  const LinearModel m = small();
  auto runner = r->load(onnx_bytes(m), m.signal);
  ASSERT_TRUE(runner);
  std::array<float, 3> y{};
  EXPECT_EQ((*runner)->run(Bytes{1}, 1, y).error().code, Code::invalid);
  EXPECT_EQ((*runner)->run(Bytes{1, 2, 3}, 1, y).error().code, Code::invalid);
  EXPECT_EQ((*runner)->run(Bytes{1, 2, 3, 4}, 2, y).error().code, Code::invalid) << "room for one row only";
  EXPECT_EQ((*runner)->run(Bytes{}, 0, y).error().code, Code::invalid);
  EXPECT_TRUE((*runner)->run(Bytes{1, 2}, 1, y));
}

TEST(OnnxRuntime, RefusesModelsThatDoNotFitTheSignal) {
  const auto r = runtime();
  const LinearModel m = small();
  const Bytes onnx = onnx_bytes(m);
  const auto code = [&](const wire::Signal& s) { return r->load(onnx, s).error().code; };

  wire::Signal other = m.signal;
  other.shape = {2, 1};
  EXPECT_EQ(code(other), Code::invalid);
  other = m.signal;
  other.dtype = wire::DType::int8;
  EXPECT_EQ(code(other), Code::invalid);
  other = m.signal;
  other.labels = {"a", "b"};
  EXPECT_EQ(code(other), Code::invalid);

  LinearModel renamed = m;
  renamed.input = "pixels";
  EXPECT_EQ(r->load(onnx_bytes(renamed), m.signal).error().code, Code::invalid);
  LinearModel fixed = m;
  fixed.fixed_batch = true;
  EXPECT_EQ(r->load(onnx_bytes(fixed), m.signal).error().code, Code::invalid);
}

TEST(OnnxRuntime, CallsBytesThatAreNoModelDamaged) {
  const auto r = runtime();
  const LinearModel m = small();
  EXPECT_EQ(r->load(Bytes{}, m.signal).error().code, Code::damaged);
  EXPECT_EQ(r->load(to_bytes("not an ONNX file"), m.signal).error().code, Code::damaged);
  Bytes cut = onnx_bytes(m);
  cut.resize(cut.size() / 2);
  EXPECT_EQ(r->load(cut, m.signal).error().code, Code::damaged);
}

TEST(OnnxRuntime, AnswersSeveralThreadsAtOnce) {
  const auto r = runtime();
  const LinearModel m = small();
  auto runner = r->load(onnx_bytes(m), m.signal);
  ASSERT_TRUE(runner);
  std::vector<std::thread> threads;
  std::array<int, 4> wrong{};
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const auto a = static_cast<std::uint8_t>(t * 50 + i % 50);
        std::array<float, 3> y{};
        const auto ran = (*runner)->run(Bytes{a, 0}, 1, y);
        if (!ran || y[0] != static_cast<float>(a) / 2) ++wrong[t];
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, (std::array<int, 4>{}));
}

// Goes round and round: nothing counts, and the condition stays true.
Bytes endless(const wire::Signal& signal) {
  using testing::Message;
  const auto elements = static_cast<std::int64_t>(signal.elements());
  const Message body = Message()
                           .message(1, testing::node("Identity", {"again"}, "again_next"))
                           .message(1, testing::node("Identity", {"value"}, "value_next"))
                           .text(2, "body")
                           .message(11, testing::value_info("round", 7, {}))
                           .message(11, testing::value_info("again", 9, {}))
                           .message(11, testing::value_info("value", 1, {-1, elements}))
                           .message(12, testing::value_info("again_next", 9, {}))
                           .message(12, testing::value_info("value_next", 1, {-1, elements}));
  Message cast = testing::node("Cast", {"x"}, "raw");
  cast.message(5, Message().text(1, "to").number(3, 1).number(20, 2));
  Message loop = testing::node("Loop", {"", "true", "raw"}, "scores");
  loop.message(5, Message().text(1, "body").message(6, body).number(20, 5));
  Message graph;
  graph.message(1, cast)
      .message(1, loop)
      .text(2, "endless")
      .message(5, Message().number(2, 9).text(8, "true").text(9, std::string(1, 1)))
      .message(11, testing::value_info("x", testing::onnx_type(signal.dtype), {-1, elements}))
      .message(12, testing::value_info("scores", 1, {-1, elements}));
  return to_bytes(Message().number(1, 8).message(7, graph).message(8, Message().number(2, 13)).bytes());
}

TEST(OnnxRuntime, EndsARunThatTakesTooLongAndRunsAgain) {
  auto limited = make_onnx_runtime(Duration(50));
  ASSERT_TRUE(limited) << limited.error().context;
  LinearModel m = small();
  m.signal.shape = {2};
  m.signal.labels = {"a", "b"};
  auto runner = (*limited)->load(endless(m.signal), m.signal);
  ASSERT_TRUE(runner) << runner.error().context;
  for (int i = 0; i < 2; ++i) {
    std::array<float, 2> y{};
    const auto ran = (*runner)->run(Bytes{1, 2}, 1, y);
    ASSERT_FALSE(ran);
    EXPECT_EQ(ran.error().code, Code::damaged);
    EXPECT_EQ(ran.error().context, "the model did not answer within 50 ms");
  }
}

TEST(OnnxRuntime, ALimitThatIsNotReachedChangesNothing) {
  auto limited = make_onnx_runtime(kUntriedRunMax);
  ASSERT_TRUE(limited) << limited.error().context;
  const LinearModel m = small();
  auto runner = (*limited)->load(onnx_bytes(m), m.signal);
  ASSERT_TRUE(runner) << runner.error().context;
  for (int i = 0; i < 100; ++i) {
    std::array<float, 3> y{};
    ASSERT_TRUE((*runner)->run(Bytes{2, 4}, 1, y));
    EXPECT_EQ(y[2], 3.5F);
  }
}

}  // namespace
}  // namespace hone::model
