#include "edge/patch/patch.hpp"

#include <span>

#include "base/hash.hpp"
#include "shared/delta/apply.hpp"

namespace hone::edge {
namespace {

class FileSink final : public delta::TargetSink {
 public:
  explicit FileSink(File& file) : file_(file) {}
  Result<> write(ByteView piece) override {
    HONE_CHECK(file_.write_at(written_, piece));
    hash_.update(piece);
    written_ += piece.size();
    return {};
  }
  Result<> read(std::uint64_t offset, std::span<std::uint8_t> out) override {
    HONE_TRY(const std::size_t count, file_.read_at(offset, out));
    if (count != out.size()) return fail(Code::unavailable, "the file that is being rebuilt became shorter: try again");
    return {};
  }
  [[nodiscard]] Sha256 hash() { return hash_.finish(); }  // of all that was written; once

 private:
  File& file_;
  Sha256Stream hash_;
  std::uint64_t written_ = 0;
};

}  // namespace

std::optional<wire::ReleaseDelta> choose_delta(const wire::ReleaseManifest& manifest,
                                               const std::optional<ModelHash>& installed) {
  if (!installed) return std::nullopt;
  for (const wire::ReleaseDelta& delta : manifest.deltas) {
    if (delta.base == *installed && delta.file.bytes < manifest.full.bytes) return delta;
  }
  return std::nullopt;
}

Result<PatchedModel> Patcher::apply_delta(const trust::Verified<wire::ReleaseManifest>& manifest,
                                          const std::string& base, const std::string& delta,
                                          const std::string& out) const {
  HONE_TRY(const auto delta_file, files_.open(delta, OpenMode::read));
  HONE_TRY(const std::uint64_t delta_bytes, delta_file->size());
  HONE_TRY(const Bytes patch, read_file(files_, delta, delta_bytes));
  HONE_TRY(const auto base_file, files_.open(base, OpenMode::read));
  HONE_TRY(const std::uint64_t base_bytes, base_file->size());
  HONE_TRY(const Bytes from, read_file(files_, base, base_bytes));
  if (auto written = write_target(*manifest, from, patch, out); !written) {
    if (auto removed = files_.remove(out); !removed) return fail(removed.error());
    return fail(written.error().within("patch"));
  }
  HONE_CHECK(files_.sync_folder(folder_of(out)));
  return PatchedModel(out, manifest->model);
}

Result<> Patcher::write_target(const wire::ReleaseManifest& manifest, ByteView base, ByteView delta,
                               const std::string& out) const {
  HONE_TRY(const auto file, files_.open(out, OpenMode::truncate));
  FileSink target(*file);
  HONE_CHECK(delta::apply(base, delta, manifest.full.bytes, target));
  if (target.hash() != manifest.model.sha256)
    return fail(Code::damaged, "the rebuilt file is not the model that was signed");
  return file->sync();
}

Result<PatchedModel> Patcher::take_full(const trust::Verified<wire::ReleaseManifest>& manifest,
                                        const std::string& fetched, const std::string& out) const {
  HONE_TRY(const Bytes checked, read_model(files_, fetched, manifest->model, manifest->full.bytes));
  HONE_CHECK(files_.rename(fetched, out));
  HONE_CHECK(files_.sync_folder(folder_of(out)));
  return PatchedModel(out, manifest->model);
}

Result<PatchedModel> Patcher::take_present(const trust::Verified<wire::ReleaseManifest>& manifest,
                                           const std::string& from, const std::string& out) const {
  HONE_TRY(const Bytes bytes, read_model(files_, from, manifest->model, manifest->full.bytes));
  HONE_TRY(const auto file, files_.open(out, from == out ? OpenMode::write : OpenMode::truncate));
  if (from != out) HONE_CHECK(file->write_at(0, bytes));
  HONE_CHECK(file->sync());
  HONE_CHECK(files_.sync_folder(folder_of(out)));
  return PatchedModel(out, manifest->model);
}

Result<Bytes> read_model(Files& files, const std::string& path, const ModelHash& model, std::uint64_t bytes) {
  HONE_TRY(const auto file, files.open(path, OpenMode::read));
  HONE_TRY(const std::uint64_t size, file->size());
  if (size != bytes)
    return fail(Code::damaged, path + " has " + std::to_string(size) + " bytes instead of " + std::to_string(bytes));
  HONE_TRY(Bytes found, read_file(files, path, bytes));
  if (sha256(found) != model.sha256) return fail(Code::damaged, path + " does not have the hash of its model");
  return found;
}

}  // namespace hone::edge
