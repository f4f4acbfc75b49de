#include "trainer/client/blob_cache.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>
#include <vector>

namespace hone::trainer {
namespace {

constexpr Duration kBlobTimeout = std::chrono::seconds(120);

std::uint64_t size_of_file(Files& files, const std::string& path) {
  const auto file = files.open(path, OpenMode::read);
  if (!file) return 0;
  return (*file)->size().value_or(0);
}

}  // namespace

Result<Bytes> BlobCache::get(const Sha256& hash, std::uint64_t bytes_max) {
  used_.insert(hash.hex());
  if (Result<Bytes> kept = read_file(files_, path_of(hash), bytes_max); kept) {
    if (sha256(*kept) == hash) return kept;
    spdlog::warn("the cached blob {} is damaged; it is fetched again", hash.hex());
  }
  HONE_TRY(Bytes bytes, fetch(hash, bytes_max));
  keep(hash, bytes);
  return bytes;
}

Result<Bytes> BlobCache::fetch(const Sha256& hash, std::uint64_t bytes_max) {
  HttpRequest request;
  request.path = "/v1/blobs/" + hash.hex();
  HONE_TRY(HttpResponse response, http_.send(request, {bytes_max, kBlobTimeout}));
  if (!response.ok()) return fail(error_of(response).within("blob " + hash.hex()));
  if (sha256(response.body) != hash)
    return fail(Code::damaged, "blob " + hash.hex() + ": the bytes that came have another hash");
  return std::move(response.body);
}

// Not synced: a file torn by a power cut has the wrong hash and is fetched again. A cache that
// cannot be written (full disk) costs a download, not the job.
void BlobCache::keep(const Sha256& hash, ByteView bytes) {
  const auto written = [&]() -> Result<> {
    HONE_CHECK(files_.make_folders(folder_));
    HONE_TRY(auto file, files_.open(path_of(hash), OpenMode::truncate));
    return file->write_at(0, bytes);
  }();
  if (written) return;
  spdlog::warn("blob {} is not kept: {}", hash.hex(), written.error().context);
  (void)files_.remove(path_of(hash));
}

void BlobCache::prune() {
  const Result<std::vector<std::string>> names = files_.list(folder_);
  if (names) {
    std::uint64_t total = 0;
    for (const std::string& name : *names) total += size_of_file(files_, folder_ + "/" + name);
    for (const std::string& name : *names) {
      if (total <= bytes_max_) break;
      if (used_.contains(name)) continue;
      const std::string path = folder_ + "/" + name;
      const std::uint64_t bytes = size_of_file(files_, path);
      if (files_.remove(path)) total -= bytes;
    }
  }
  used_.clear();
}

}  // namespace hone::trainer
