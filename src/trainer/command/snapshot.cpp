#include "trainer/command/snapshot.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

#include "base/json.hpp"
#include "shared/wire/npy.hpp"

namespace hone::trainer {
namespace {

constexpr int kFormat = 1;

std::string shard_name(char column, std::size_t number) {
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "%c-%04zu.npy", column, number);
  return name.data();
}

Result<> write_npy(Files& files, const std::string& path, const Bytes& header, ByteView elements) {
  HONE_TRY(const auto file, files.open(path, OpenMode::truncate));
  HONE_CHECK(file->write_at(0, header));
  return file->write_at(header.size(), elements);
}

}  // namespace

Result<> write_snapshot(Files& files, const std::string& folder, const PipelineName& pipeline,
                        const DatasetHash& dataset, const Rows& rows, std::uint64_t shard_bytes_max) {
  const wire::Signal& signal = rows.signal;
  const std::size_t sample = signal.sample_bytes();
  const std::size_t rows_max = std::max<std::size_t>(1, shard_bytes_max / std::max<std::size_t>(1, sample));
  HONE_CHECK(files.make_folders(folder));
  Json shards = Json::array();
  for (std::size_t first = 0; first < rows.rows(); first += rows_max) {
    const std::size_t count = std::min(rows_max, rows.rows() - first);
    std::vector<std::int64_t> shape{static_cast<std::int64_t>(count)};
    const Bytes y_header = wire::npy_header("<i8", shape);
    shape.insert(shape.end(), signal.shape.begin(), signal.shape.end());
    const std::string x = shard_name('x', shards.size());
    const std::string y = shard_name('y', shards.size());
    HONE_CHECK(write_npy(files, folder + "/" + x, wire::npy_header(wire::npy_descr(signal.dtype), shape),
                         ByteView(rows.x).subspan(first * sample, count * sample)));
    const auto* labels = reinterpret_cast<const std::uint8_t*>(rows.y.data() + first);
    HONE_CHECK(write_npy(files, folder + "/" + y, y_header, ByteView(labels, count * sizeof(std::int64_t))));
    shards.push_back({{"rows", count}, {"x", x}, {"y", y}});
  }
  const Json description{{"format", kFormat},        {"pipeline", pipeline.value},
                         {"dataset", dataset.hex()}, {"signal", wire::to_json(signal)},
                         {"rows", rows.rows()},      {"shards", shards}};
  HONE_TRY(const auto file, files.open(folder + "/dataset.json", OpenMode::truncate));
  return file->write_at(0, as_bytes(description.dump(1) + "\n"));
}

}  // namespace hone::trainer
