#include "cloud/dataset/shard_builder.hpp"

#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "shared/wire/npy.hpp"

namespace hone::cloud {
namespace {

constexpr std::size_t kShardBytes = 4u << 20;

Result<BlobHash> put_npy(BlobStore& blobs, std::string_view descr, const std::vector<std::int64_t>& shape,
                         ByteView data) {
  Bytes file = wire::npy_header(descr, shape);
  file.insert(file.end(), data.begin(), data.end());
  return blobs.put(file);
}

template <class T>
Bytes little_endian(std::span<const T> values) {
  Bytes out;
  out.reserve(values.size_bytes());
  for (const T value : values) {
    const auto bits = static_cast<std::make_unsigned_t<T>>(value);
    for (std::size_t byte = 0; byte < sizeof(T); ++byte) out.push_back(static_cast<std::uint8_t>(bits >> (8 * byte)));
  }
  return out;
}

}  // namespace

std::int64_t rows_per_shard(const wire::Signal& signal) {
  std::int64_t rows = 65536;
  while (rows > 1 && static_cast<std::size_t>(rows) * signal.sample_bytes() > kShardBytes) rows /= 2;
  return rows;
}

ShardBuilder::ShardBuilder(wire::Signal signal)
    : signal_(std::move(signal)), rows_per_shard_(hone::cloud::rows_per_shard(signal_)) {}

void ShardBuilder::append(ByteView x, std::int64_t y, std::int64_t t, std::int32_t device) {
  x_.insert(x_.end(), x.begin(), x.end());
  y_.push_back(y);
  t_.push_back(t);
  d_.push_back(device);
}

Result<std::vector<wire::Shard>> ShardBuilder::write_full(BlobStore& blobs) const {
  std::vector<wire::Shard> shards;
  for (std::int64_t begin = 0; rows() - begin >= rows_per_shard_; begin += rows_per_shard_) {
    HONE_TRY(const wire::Shard shard, write(blobs, begin, rows_per_shard_));
    shards.push_back(shard);
  }
  return shards;
}

Result<wire::Shard> ShardBuilder::write_rest(BlobStore& blobs) const {
  const std::int64_t rest = rows() % rows_per_shard_;
  return write(blobs, rows() - rest, rest);
}

Result<wire::Shard> ShardBuilder::write(BlobStore& blobs, std::int64_t begin, std::int64_t rows) const {
  const auto first = static_cast<std::size_t>(begin);
  const auto count = static_cast<std::size_t>(rows);
  const std::size_t bytes = signal_.sample_bytes();
  std::vector<std::int64_t> shape{rows};
  shape.insert(shape.end(), signal_.shape.begin(), signal_.shape.end());
  wire::Shard shard;
  shard.rows = rows;
  HONE_TRY(shard.x,
           put_npy(blobs, wire::npy_descr(signal_.dtype), shape, ByteView(x_).subspan(first * bytes, count * bytes)));
  HONE_TRY(shard.y, put_npy(blobs, "<i8", {rows}, little_endian(std::span(y_).subspan(first, count))));
  HONE_TRY(shard.t, put_npy(blobs, "<i8", {rows}, little_endian(std::span(t_).subspan(first, count))));
  HONE_TRY(shard.d, put_npy(blobs, "<i4", {rows}, little_endian(std::span(d_).subspan(first, count))));
  return shard;
}

void ShardBuilder::drop(std::int64_t rows) {
  const auto count = static_cast<std::ptrdiff_t>(rows);
  const auto bytes = count * static_cast<std::ptrdiff_t>(signal_.sample_bytes());
  x_.erase(x_.begin(), x_.begin() + bytes);
  y_.erase(y_.begin(), y_.begin() + count);
  t_.erase(t_.begin(), t_.begin() + count);
  d_.erase(d_.begin(), d_.begin() + count);
}

void ShardBuilder::keep(std::int64_t rows) {
  const auto count = static_cast<std::size_t>(rows);
  x_.resize(count * signal_.sample_bytes());
  y_.resize(count);
  t_.resize(count);
  d_.resize(count);
}

}  // namespace hone::cloud
