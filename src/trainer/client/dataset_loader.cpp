#include "trainer/client/dataset_loader.hpp"

#include <chrono>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "shared/wire/npy.hpp"

namespace hone::trainer {
namespace {

constexpr Duration kManifestTimeout = std::chrono::seconds(60);
constexpr std::uint64_t kNpyHeaderBytesMax = 4096;

struct Array {
  Bytes file;
  wire::NpyHeader header;
  [[nodiscard]] ByteView data() const { return ByteView(file).subspan(header.data_offset, header.data_bytes); }
};

Result<Array> get_array(BlobCache& cache, const BlobHash& blob, std::string_view descr,
                        const std::vector<std::int64_t>& shape, std::uint64_t data_bytes) {
  Array array;
  HONE_TRY(array.file, cache.get(blob.sha256, data_bytes + kNpyHeaderBytesMax));
  auto header = wire::parse_npy(array.file, array.file.size());
  if (!header) return fail(header.error().within("blob " + blob.hex()));
  array.header = std::move(*header);
  if (array.header.descr != descr || array.header.shape != shape || array.header.data_bytes != data_bytes)
    return fail(Code::invalid, "blob " + blob.hex() + " has another type or shape than the dataset says");
  return array;
}

Result<std::vector<Sensed>> get_sensed(BlobCache& cache, const wire::Shard& shard) {
  const auto count = static_cast<std::size_t>(shard.rows);
  HONE_TRY(const Array t, get_array(cache, shard.t, "<i8", {shard.rows}, count * sizeof(std::int64_t)));
  HONE_TRY(const Array d, get_array(cache, shard.d, "<i4", {shard.rows}, count * sizeof(std::int32_t)));
  std::vector<Sensed> sensed(count);
  for (std::size_t row = 0; row < count; ++row) {
    std::memcpy(&sensed[row].t_ms, t.data().data() + row * sizeof(std::int64_t), sizeof(std::int64_t));
    std::memcpy(&sensed[row].device, d.data().data() + row * sizeof(std::int32_t), sizeof(std::int32_t));
  }
  return sensed;
}

}  // namespace

Result<wire::DatasetManifest> fetch_manifest(HttpClient& http, const DatasetHash& dataset) {
  HttpRequest request;
  request.path = "/v1/datasets/" + dataset.hex();
  HONE_TRY(const HttpResponse response, http.send(request, {kDatasetManifestBytesMax, kManifestTimeout}));
  if (!response.ok()) return fail(error_of(response).within("dataset " + dataset.hex()));
  if (sha256(response.body) != dataset.sha256)
    return fail(Code::damaged, "dataset " + dataset.hex() + ": the manifest that came has another hash");
  auto manifest = wire::dataset_manifest_from(response.body);
  if (!manifest) return fail(manifest.error().within("dataset " + dataset.hex()));
  return manifest;
}

Result<> append_shard(BlobCache& cache, const wire::Shard& shard, Rows& rows) {
  const auto count = static_cast<std::size_t>(shard.rows);
  const std::size_t sample_bytes = rows.signal.sample_bytes();
  std::vector<std::int64_t> shape{shard.rows};
  shape.insert(shape.end(), rows.signal.shape.begin(), rows.signal.shape.end());
  HONE_TRY(const Array x, get_array(cache, shard.x, wire::npy_descr(rows.signal.dtype), shape, count * sample_bytes));
  HONE_TRY(const Array y, get_array(cache, shard.y, "<i8", {shard.rows}, count * sizeof(std::int64_t)));
  std::vector<std::int64_t> labels(count);
  std::memcpy(labels.data(), y.data().data(), y.data().size());
  std::vector<Sensed> sensed;
  if (rows.stream) {
    HONE_TRY(sensed, get_sensed(cache, shard));
  }
  rows.x.insert(rows.x.end(), x.data().begin(), x.data().end());
  rows.y.insert(rows.y.end(), labels.begin(), labels.end());
  rows.sensed.insert(rows.sensed.end(), sensed.begin(), sensed.end());
  return {};
}

}  // namespace hone::trainer
