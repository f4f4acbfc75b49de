#include "cloud/dataset/shard_builder.hpp"

#include <gtest/gtest.h>

#include "cloud/store/files/blobs.hpp"
#include "platform/sim/sim.hpp"
#include "shared/wire/npy.hpp"

namespace hone::cloud {
namespace {

wire::Signal megabyte_signal() {
  wire::Signal signal;
  signal.shape = {1 << 20};
  signal.dtype = wire::DType::uint8;
  return signal;
}

TEST(ShardBuilder, CutsByBytesInPowersOfTwo) {
  wire::Signal digits;
  digits.shape = {1, 28, 28};
  digits.dtype = wire::DType::uint8;
  EXPECT_EQ(rows_per_shard(digits), 4096);
  EXPECT_EQ(rows_per_shard(megabyte_signal()), 4);
  wire::Signal tiny;
  tiny.shape = {1};
  tiny.dtype = wire::DType::uint8;
  EXPECT_EQ(rows_per_shard(tiny), 65536);
}

TEST(ShardBuilder, WritesFullShardsAndTheRestApart) {
  platform::SimFiles files;
  auto blobs = open_blob_folder(files, "blobs").value();
  ShardBuilder builder(megabyte_signal());
  for (int row = 0; row < 9; ++row) {
    builder.append(Bytes(1 << 20, static_cast<std::uint8_t>(row)), row, row * 10, row % 2);
  }
  const auto full = builder.write_full(*blobs);
  ASSERT_TRUE(full.has_value()) << full.error().context;
  ASSERT_EQ(full->size(), 2U);
  EXPECT_EQ((*full)[0].rows, 4);
  EXPECT_EQ(builder.rows(), 9) << "rows stay until they are recorded";
  builder.drop(8);
  EXPECT_EQ(builder.write_full(*blobs)->size(), 0U);
  const auto rest = builder.write_rest(*blobs);
  ASSERT_TRUE(rest.has_value());
  EXPECT_EQ(rest->rows, 1);

  const Bytes x = blobs->get(rest->x, kShardBytesMax).value();
  const auto header = wire::parse_npy(x, x.size());
  ASSERT_TRUE(header.has_value()) << header.error().context;
  EXPECT_EQ(header->shape, (std::vector<std::int64_t>{1, 1 << 20}));
  EXPECT_EQ(x[header->data_offset], 8);
  const Bytes t = blobs->get((*full)[1].t, kShardBytesMax).value();
  const auto t_header = wire::parse_npy(t, t.size());
  ASSERT_TRUE(t_header.has_value());
  EXPECT_EQ(t_header->descr, "<i8");
  EXPECT_EQ(t[t_header->data_offset], 40);
  const Bytes d = blobs->get((*full)[0].d, kShardBytesMax).value();
  const auto d_header = wire::parse_npy(d, d.size());
  ASSERT_TRUE(d_header.has_value());
  EXPECT_EQ(d_header->descr, "<i4");
  EXPECT_EQ(d[d_header->data_offset + 4], 1);
}

TEST(ShardBuilder, ForgetsRowsThatWereNotRecorded) {
  ShardBuilder builder(megabyte_signal());
  for (int row = 0; row < 3; ++row) builder.append(Bytes(1 << 20, 1), 0, 0, 0);
  builder.keep(1);
  EXPECT_EQ(builder.rows(), 1);
}

}  // namespace
}  // namespace hone::cloud
