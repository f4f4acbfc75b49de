#include "edge/fetch/fetch.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace hone::edge {
namespace {

constexpr std::string_view kRepository = "/repository/";

}  // namespace

Result<Bytes> fetch_file(HttpClient& cloud, const std::string& path, std::uint64_t bytes_max) {
  HttpRequest request;
  request.path = std::string(kRepository) + path;
  HONE_TRY(HttpResponse response, cloud.send(request, {bytes_max, kFetchTimeout}));
  if (!response.ok()) return fail(error_of(response).within("fetch " + path));
  if (response.body.size() > bytes_max)
    return fail(Code::damaged, "fetch " + path + ": longer than " + std::to_string(bytes_max) + " bytes");
  return std::move(response.body);
}

Result<TargetFetch> TargetFetch::begin(Files& files, std::string folder, wire::TargetFile target,
                                       std::string url_path) {
  HONE_CHECK(files.make_folders(folder));
  const std::string name = target.sha256.hex() + ".part";
  HONE_TRY(const auto names, files.list(folder));
  for (const std::string& other : names) {
    if (other != name && other.ends_with(".part")) HONE_CHECK(files.remove(folder + "/" + other));
  }
  TargetFetch fetch(files, std::move(target), std::move(url_path), folder + "/" + name);
  HONE_TRY(const bool exists, files.exists(fetch.path_));
  if (exists) {
    HONE_TRY(const auto file, files.open(fetch.path_, OpenMode::read));
    HONE_TRY(fetch.have_, file->size());
    if (fetch.have_ > fetch.target_.bytes) fetch.have_ = 0;
  }
  return fetch;
}

Result<bool> TargetFetch::next(HttpClient& cloud) {
  const std::string doing = "fetch " + target_.path;
  if (have_ < target_.bytes) {
    const std::uint64_t last = std::min(have_ + kFetchPieceBytes, target_.bytes) - 1;
    HttpRequest request;
    request.path = std::string(kRepository) + url_path_;
    request.headers["range"] = "bytes=" + std::to_string(have_) + "-" + std::to_string(last);
    // A server that does not know Range answers with all of it.
    HONE_TRY(const HttpResponse response,
             cloud.send(request, {std::max<std::uint64_t>(target_.bytes, 64 * 1024), kFetchTimeout}));
    if (!response.ok()) return fail(error_of(response).within(doing));
    const std::uint64_t from = response.status == 206 ? have_ : 0;
    const std::uint64_t wanted = response.status == 206 ? last - have_ + 1 : target_.bytes;
    pulled_ += response.body.size();
    if (response.body.size() != wanted) {
      return fail(Code::unavailable, doing + ": got " + std::to_string(response.body.size()) + " bytes, asked for " +
                                         std::to_string(wanted));
    }
    HONE_TRY(const auto file, files_->open(path_, OpenMode::create));
    HONE_CHECK(file->write_at(from, response.body));
    have_ = from + wanted;
    if (have_ < target_.bytes) return false;
    HONE_CHECK(file->truncate(target_.bytes));
    HONE_CHECK(file->sync());
  }
  if (auto right = check_hash(); !right) {
    have_ = 0;
    HONE_CHECK(files_->remove(path_));
    return fail(right.error().within(doing));
  }
  return true;
}

Result<> TargetFetch::check_hash() {
  HONE_TRY(const auto file, files_->open(path_, OpenMode::create));
  Sha256Stream hash;
  Bytes piece(64 * 1024);
  std::uint64_t at = 0;
  for (;;) {
    HONE_TRY(const std::size_t got, file->read_at(at, piece));
    if (got == 0) break;
    hash.update(ByteView(piece).first(got));
    at += got;
  }
  if (at != target_.bytes || hash.finish() != target_.sha256)
    return fail(Code::damaged, "the bytes are not those that were signed");
  return {};
}

}  // namespace hone::edge
