#include "shared/wire/batch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include <string>

#include "shared/wire/safetensors.hpp"

namespace hone::wire {
namespace {

using ::testing::HasSubstr;

Signal small_signal() {
  return {{1, 2, 2}, DType::int16, 1.0, {"a", "b"}};
}

Batch small_batch() {
  Batch batch;
  batch.id = BatchId("00112233445566778899aabbccddeeff");
  batch.device = DeviceId("dev-0123456789abcdef");
  batch.pipeline = PipelineName("digits");
  for (std::uint8_t i = 0; i < 24; ++i) batch.x.push_back(i);
  batch.y = {0, kNoLabel, 1};
  batch.t = {1'700'000'000'000, 1'700'000'000'001, 1'700'000'000'002};
  return batch;
}

Bytes pack(const Bytes& raw) {
  Bytes out(ZSTD_compressBound(raw.size()));
  out.resize(ZSTD_compress(out.data(), out.size(), raw.data(), raw.size(), 3));
  return out;
}

Bytes with_header(const std::string& header, std::size_t data_bytes) {
  Bytes file(8, 0);
  file[0] = static_cast<std::uint8_t>(header.size() & 0xff);
  file[1] = static_cast<std::uint8_t>(header.size() >> 8);
  file.insert(file.end(), header.begin(), header.end());
  file.resize(file.size() + data_bytes, 0);
  return file;
}

Error error_for(const Bytes& bytes) {
  const auto decoded = decode_batch(bytes, small_signal());
  return decoded ? Error(Code::invalid, "accepted") : decoded.error();
}

TEST(Batch, SurvivesTheWireUnchanged) {
  const Batch batch = small_batch();
  const auto bytes = encode(batch, small_signal());
  ASSERT_TRUE(bytes) << bytes.error().context;
  const auto back = decode_batch(*bytes, small_signal());
  ASSERT_TRUE(back) << back.error().context;
  EXPECT_EQ(back->id, batch.id);
  EXPECT_EQ(back->device, batch.device);
  EXPECT_EQ(back->pipeline, batch.pipeline);
  EXPECT_EQ(back->x, batch.x);
  EXPECT_EQ(back->y, batch.y);
  EXPECT_EQ(back->t, batch.t);
}

TEST(Batch, GivesTheSameBytesEveryTime) {
  EXPECT_EQ(encode(small_batch(), small_signal()).value(), encode(small_batch(), small_signal()).value());
}

TEST(Batch, IsALittleEndianSafetensorsFileInsideZstd) {
  const Bytes packed = encode(small_batch(), small_signal()).value();
  Bytes raw(ZSTD_getFrameContentSize(packed.data(), packed.size()));
  ASSERT_EQ(ZSTD_decompress(raw.data(), raw.size(), packed.data(), packed.size()), raw.size());
  const std::string header =
      R"({"__metadata__":{"hone.batch":"00112233445566778899aabbccddeeff","hone.device":"dev-0123456789abcdef",)"
      R"("hone.pipeline":"digits"},"t":{"data_offsets":[0,24],"dtype":"I64","shape":[3]},)"
      R"("x":{"data_offsets":[48,72],"dtype":"I16","shape":[3,1,2,2]},"y":{"data_offsets":[24,48],"dtype":"I64","shape":[3]}})";
  ASSERT_GT(raw.size(), 8 + header.size());
  EXPECT_EQ(as_text(ByteView(raw).subspan(8, header.size())), header);
  const std::size_t data = 8 + raw[0] + (std::size_t{raw[1]} << 8);
  EXPECT_EQ(data % 8, 0u);
  EXPECT_EQ(raw.size(), data + 72);
  EXPECT_EQ(raw[data + 24 + 8], 0xff);  // y[1] is -1
  EXPECT_EQ(raw[data + 48 + 5], 5);     // x as it was given
}

TEST(Batch, RefusesToEncodeWhatTheOtherSideWouldRefuse) {
  Batch batch = small_batch();
  batch.y[0] = 2;
  EXPECT_THAT(encode(batch, small_signal()).error().context,
              HasSubstr("row 0 has the label 2, but labels go from 0 to 1"));
  batch = small_batch();
  batch.t.pop_back();
  EXPECT_THAT(encode(batch, small_signal()).error().context, HasSubstr("same number of rows"));
  batch = small_batch();
  batch.id = BatchId("nope");
  EXPECT_THAT(encode(batch, small_signal()).error().context, HasSubstr("batch id"));
  batch = small_batch();
  batch.t[2] = -5;
  EXPECT_THAT(encode(batch, small_signal()).error().context, HasSubstr("row 2"));
  batch = small_batch();
  batch.x.clear(), batch.y.clear(), batch.t.clear();
  EXPECT_THAT(encode(batch, small_signal()).error().context, HasSubstr("1 to 65536"));
}

TEST(Batch, NamesAShapeDtypeOrLabelThatDoesNotFitTheSignal) {
  const Bytes bytes = encode(small_batch(), small_signal()).value();
  Signal other = small_signal();
  other.shape = {1, 4};
  EXPECT_THAT(decode_batch(bytes, other).error().context,
              HasSubstr("has the shape [3, 1, 2, 2], the pipeline asks for [3, 1, 4]"));
  other = small_signal();
  other.dtype = DType::uint8;
  EXPECT_THAT(decode_batch(bytes, other).error().context, HasSubstr("has the dtype I16, the pipeline asks for U8"));
  other = small_signal();
  other.labels = {"only"};
  EXPECT_THAT(decode_batch(bytes, other).error().context, HasSubstr("label 1"));
  other.labels = {};
  EXPECT_THAT(decode_batch(bytes, other).error().context, HasSubstr("no labels"));
}

TEST(Batch, CallsEveryCutAndEveryFlippedBitInTheFrameAnError) {
  const Bytes bytes = encode(small_batch(), small_signal()).value();
  for (std::size_t n = 0; n < bytes.size(); ++n)
    EXPECT_FALSE(decode_batch(ByteView(bytes).first(n), small_signal())) << n;
  int damaged = 0;
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    Bytes flipped = bytes;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    const auto decoded = decode_batch(flipped, small_signal());
    // A few bits of the frame header carry nothing; the rows must be the same then.
    if (decoded) {
      EXPECT_EQ(decoded->x, small_batch().x);
      EXPECT_EQ(decoded->y, small_batch().y);
    } else if (decoded.error().code == Code::damaged) {
      ++damaged;
    }
  }
  EXPECT_GT(damaged, static_cast<int>(bytes.size() * 8 * 9 / 10));
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_EQ(error_for(longer).code, Code::damaged);
}

TEST(Batch, RefusesSizesBeforeItAllocatesThem) {
  EXPECT_THAT(error_for(Bytes(kBatchCompressedBytesMax + 1, 0)).context, HasSubstr("8388608"));
  const Bytes bomb = pack(Bytes(kBatchRawBytesMax + 1, 0));
  ASSERT_LT(bomb.size(), 8192u);
  EXPECT_THAT(error_for(bomb).context, HasSubstr("33554432"));
}

TEST(Batch, RefusesMalformedSafetensors) {
  const auto refuse = [](const std::string& header, std::size_t data) {
    return error_for(pack(with_header(header, data))).context;
  };
  EXPECT_THAT(refuse("[]", 0), HasSubstr("begin with '{'"));
  EXPECT_THAT(refuse(R"({"x":)", 0), HasSubstr("JSON"));
  EXPECT_THAT(refuse(R"({"x":3})", 0), HasSubstr("objects"));
  EXPECT_THAT(refuse(R"({"x":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}})", 2), HasSubstr("dtype"));
  EXPECT_THAT(refuse(R"({"x":{"dtype":"I16","shape":[1],"data_offsets":[0,4]}})", 4),
              HasSubstr("does not fit its shape"));
  EXPECT_THAT(refuse(R"({"x":{"dtype":"I16","shape":[1],"data_offsets":[4,2]}})", 4), HasSubstr("outside"));
  EXPECT_THAT(refuse(R"({"x":{"dtype":"I16","shape":[1],"data_offsets":[8,10]}})", 4), HasSubstr("outside"));
  EXPECT_THAT(refuse(R"({"x":{"dtype":"I64","shape":[9223372036854775807,4],"data_offsets":[0,8]}})", 8),
              HasSubstr("does not fit the file"));
  EXPECT_THAT(
      refuse(
          R"({"x":{"dtype":"I16","shape":[1],"data_offsets":[0,2]},"y":{"dtype":"I16","shape":[1],"data_offsets":[4,6]}})",
          6),
      HasSubstr("gaps"));
  EXPECT_THAT(
      refuse(
          R"({"x":{"dtype":"I16","shape":[2],"data_offsets":[0,4]},"y":{"dtype":"I16","shape":[1],"data_offsets":[2,4]}})",
          4),
      HasSubstr("overlap"));
  EXPECT_THAT(refuse(R"({"x":{"dtype":"I16","shape":[1],"data_offsets":[0,2]}})", 3), HasSubstr("follow"));
  EXPECT_THAT(refuse(R"({"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1),
              HasSubstr("metadata lacks 'hone.batch'"));
  Bytes long_header(8, 0xff);
  long_header.resize(64);
  EXPECT_THAT(error_for(pack(long_header)).context, HasSubstr("65536"));
}

TEST(Batch, RefusesTensorsThatNobodyAskedFor) {
  const Bytes empty;
  const Bytes data(24);
  const Bytes raw = write_safetensors(
      {{"hone.batch", small_batch().id.value}, {"hone.device", "dev-1"}, {"hone.pipeline", "p"}},
      {{"t", "I64", {3}, data}, {"y", "I64", {3}, data}, {"x", "I16", {3, 1, 2, 2}, data}, {"z", "U8", {0}, empty}});
  EXPECT_THAT(error_for(pack(raw)).context, HasSubstr("no others"));
}

}  // namespace
}  // namespace hone::wire
