#include "cloud/service/holdout.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "shared/wire/npy.hpp"

namespace hone::cloud {
namespace {

constexpr std::uint64_t kManifestBytesMax = 64u << 20;

// The elements of one shard's .npy blob, whose size is checked against the manifest.
struct ShardColumn {
  Bytes file;
  std::size_t offset = 0;
  [[nodiscard]] ByteView data() const { return ByteView(file).subspan(offset); }

  // Little-endian, `bytes` of them each.
  [[nodiscard]] std::uint64_t number(std::size_t row, std::size_t bytes) const {
    std::uint64_t bits = 0;
    for (std::size_t byte = bytes; byte-- > 0;) bits = bits << 8 | data()[row * bytes + byte];
    return bits;
  }
};

Result<ShardColumn> parse_column(BlobStore& blobs, const BlobHash& hash, std::size_t bytes) {
  ShardColumn column;
  HONE_TRY(column.file, blobs.get(hash, kShardBytesMax));
  HONE_TRY(const wire::NpyHeader header, wire::parse_npy(column.file, column.file.size()));
  if (header.data_bytes != bytes) return fail(Code::damaged, "it has another size than its manifest says");
  column.offset = header.data_offset;
  return column;
}

Result<ShardColumn> load_column(BlobStore& blobs, const BlobHash& hash, std::size_t bytes) {
  auto column = parse_column(blobs, hash, bytes);
  if (!column) return fail(Code::unavailable, "dataset shard " + hash.hex() + ": " + column.error().context);
  return column;
}

}  // namespace

Result<wire::DatasetManifest> load_dataset(BlobStore& blobs, const DatasetHash& hash) {
  HONE_TRY(const Bytes bytes, blobs.get(BlobHash{hash.sha256}, kManifestBytesMax));
  return wire::dataset_manifest_from(bytes);
}

Result<> read_rows(BlobStore& blobs, const std::vector<wire::Shard>& shards, std::size_t sample_bytes,
                   std::int64_t rows_at_once, const TakeRows& take) {
  for (const auto& shard : shards) {
    HONE_TRY(const auto column, load_column(blobs, shard.x, static_cast<std::size_t>(shard.rows) * sample_bytes));
    for (std::int64_t row = 0; row < shard.rows; row += rows_at_once) {
      const std::int64_t rows = std::min(rows_at_once, shard.rows - row);
      HONE_CHECK(take(column.data().subspan(static_cast<std::size_t>(row) * sample_bytes,
                                            static_cast<std::size_t>(rows) * sample_bytes),
                      rows));
    }
  }
  return {};
}

Result<std::vector<std::int64_t>> read_labels(BlobStore& blobs, const std::vector<wire::Shard>& shards) {
  std::vector<std::int64_t> labels;
  for (const auto& shard : shards) {
    const auto rows = static_cast<std::size_t>(shard.rows);
    HONE_TRY(const auto column, load_column(blobs, shard.y, rows * 8));
    for (std::size_t row = 0; row < rows; ++row) labels.push_back(static_cast<std::int64_t>(column.number(row, 8)));
  }
  return labels;
}

Result<std::vector<std::uint32_t>> read_blocks(BlobStore& blobs, const std::vector<wire::Shard>& shards,
                                               const wire::TimeBlocks& blocks) {
  std::map<std::pair<std::uint64_t, std::int64_t>, std::uint32_t> numbers;
  std::vector<std::uint32_t> result;
  for (const auto& shard : shards) {
    const auto rows = static_cast<std::size_t>(shard.rows);
    HONE_TRY(const auto t, load_column(blobs, shard.t, rows * 8));
    HONE_TRY(const auto device, load_column(blobs, shard.d, rows * 4));
    for (std::size_t row = 0; row < rows; ++row) {
      const std::int64_t block = wire::block_number(blocks, static_cast<std::int64_t>(t.number(row, 8)));
      const auto next = static_cast<std::uint32_t>(numbers.size());
      result.push_back(numbers.emplace(std::pair{device.number(row, 4), block}, next).first->second);
    }
  }
  return result;
}

}  // namespace hone::cloud
