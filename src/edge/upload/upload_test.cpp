#include "edge/upload/upload.hpp"

#include <gtest/gtest.h>

#include "edge/upload/governor.hpp"
#include "platform/sim/sim.hpp"

namespace hone::edge {
namespace {

using namespace std::chrono_literals;

wire::Signal pairs() {
  wire::Signal signal;
  signal.shape = {2};
  signal.dtype = wire::DType::uint8;
  signal.labels = {"no", "yes"};
  return signal;
}

Segment segment_of(const std::vector<Bytes>& samples, SignalPrint print) {
  Bytes file = encode(SegmentHeader{BatchId(std::string(32, 'b')), print});
  std::int64_t at = 1000;
  for (const Bytes& s : samples) append_record(file, {s, at % 2, from_unix_ms(at)}), ++at;
  return *parse_segment(file);
}

TEST(Upload, SendsTheSegmentUnderItsOwnId) {
  const wire::Signal signal = pairs();
  const Segment segment = segment_of({{1, 2}, {3, 4}}, print_of(signal));
  const auto batch = batch_of(segment, DeviceId("dev-0000000000000001"), PipelineName("p"), signal);
  ASSERT_TRUE(batch) << batch.error().context;
  EXPECT_EQ(batch->rows, 2U);

  const auto decoded = wire::decode_batch(batch->body, signal);
  ASSERT_TRUE(decoded) << decoded.error().context;
  EXPECT_EQ(decoded->id.value, std::string(32, 'b'));
  EXPECT_EQ(decoded->x, (Bytes{1, 2, 3, 4}));
  EXPECT_EQ(decoded->y, (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(decoded->t, (std::vector<std::int64_t>{1000, 1001}));

  platform::SimRandom random(1);
  HttpRequest seen;
  platform::SimHttpClient cloud(
      [&](const HttpRequest& request) {
        seen = request;
        HttpResponse response;
        response.status = 200;
        wire::BatchReply reply;
        reply.stored = 2;
        reply.collect = wire::Collect::none;
        response.body = dump_bytes(wire::to_json(reply));
        return response;
      },
      random);
  const auto reply = send_batch(cloud, PipelineName("p"), batch->body);
  ASSERT_TRUE(reply) << reply.error().context;
  EXPECT_EQ(reply->stored, 2);
  EXPECT_EQ(reply->collect, wire::Collect::none);
  EXPECT_EQ(seen.path, "/v1/pipelines/p/batches");
  EXPECT_EQ(seen.body, batch->body);
}

TEST(Upload, LeavesOutRowsThatDoNotFitTheSignal) {
  const wire::Signal signal = pairs();
  const auto mixed = batch_of(segment_of({{1, 2}, {3}, {4, 5}}, {}), DeviceId("d"), PipelineName("p"), signal);
  ASSERT_TRUE(mixed);
  EXPECT_EQ(mixed->rows, 2U);
  EXPECT_EQ(mixed->rows_refused, 1U);
  const auto other = batch_of(segment_of({{1, 2}}, {9}), DeviceId("d"), PipelineName("p"), signal);
  ASSERT_TRUE(other);
  EXPECT_EQ(other->rows, 0U) << "checked against another signal";
  EXPECT_TRUE(other->body.empty());
}

TEST(Governor, StopsAtTheGoalAndAtTheDailyBound) {
  const Time noon = from_unix_ms(1'700'000'000'000);
  const DayLedger used = sent({}, 900, noon);
  EXPECT_EQ(may_send(wire::Collect::none, 0, {}, 1, noon), Permission::never);
  EXPECT_EQ(may_send(wire::Collect::all, 0, used, 1'000'000, noon), Permission::now);
  EXPECT_EQ(may_send(wire::Collect::all, 1000, used, 100, noon), Permission::now);
  EXPECT_EQ(may_send(wire::Collect::all, 1000, used, 101, noon), Permission::tomorrow);
  EXPECT_EQ(may_send(wire::Collect::all, 1000, used, 101, noon + 24h), Permission::now);
  EXPECT_EQ(may_send(wire::Collect::all, 10, {}, 101, noon), Permission::now);
  EXPECT_EQ(sent(used, 5, noon + 24h).bytes, 5);
}

}  // namespace
}  // namespace hone::edge
