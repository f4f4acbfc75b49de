#include "shared/delta/apply_files.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "shared/delta/apply.hpp"
#include "shared/delta/decode/applier.hpp"

namespace hone::delta {
namespace {

constexpr std::size_t kScratchBytes = std::size_t{256} << 10;

// One file of the three, opened when it is first needed: what is refused early leaves nothing behind.
class LazyFile {
 public:
  LazyFile(Files& files, std::string path) : files_(files), path_(std::move(path)) {}

  Result<> read(std::uint64_t offset, std::span<std::uint8_t> out) {
    if (!file_) {
      HONE_TRY(file_, files_.open(path_, OpenMode::write));
    }
    HONE_TRY(const std::size_t got, file_->read_at(offset, out));
    if (got < out.size()) return fail(Code::damaged, path_ + " is shorter than it should be");
    return {};
  }
  Result<> write(std::uint64_t offset, ByteView bytes) {
    HONE_CHECK(create());
    return file_->write_at(offset, bytes);
  }
  Result<> resize(std::uint64_t bytes) {
    HONE_CHECK(create());
    return file_->truncate(bytes);
  }
  Result<> sync() {
    HONE_CHECK(create());
    HONE_CHECK(file_->sync());
    if (name_is_durable_) return {};
    HONE_CHECK(files_.sync_folder(folder_of(path_)));
    name_is_durable_ = true;
    return {};
  }
  Result<std::uint64_t> bytes() {
    if (!file_) {
      HONE_TRY(const bool is_there, files_.exists(path_));
      if (!is_there) return std::uint64_t{0};
      HONE_TRY(file_, files_.open(path_, OpenMode::write));
    }
    return file_->size();
  }
  void close() { file_.reset(); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Result<> create() {
    if (file_) return {};
    HONE_TRY(file_, files_.open(path_, OpenMode::create));
    return {};
  }

  Files& files_;
  std::string path_;
  std::unique_ptr<File> file_;
  bool name_is_durable_ = false;
};

// What the applier's callbacks work on. They keep the first failure: it says more than a status.
struct Surroundings {
  Files& files;
  const ApplyOptions& options;
  File& patch;
  File* base;  // null in place
  LazyFile target;
  LazyFile journal;
  std::string out;  // empty in place
  Sha256Stream hash{};
  Result<> failure{};
  bool resumed = false;

  bool keep(Result<> result) {
    if (!result && failure) failure = std::move(result);
    return failure.has_value();
  }
  LazyFile& at(Place place) { return place == Place::journal ? journal : target; }
  Result<> read(Place place, std::uint64_t offset, std::span<std::uint8_t> out_bytes) {
    if (place != Place::base) return at(place).read(offset, out_bytes);
    return read_whole(*base, offset, out_bytes, "the base");
  }
  static Result<> read_whole(File& file, std::uint64_t offset, std::span<std::uint8_t> out_bytes, const char* name) {
    HONE_TRY(const std::size_t got, file.read_at(offset, out_bytes));
    if (got < out_bytes.size()) return fail(Code::damaged, std::string(name) + " became shorter while it was read: try again");
    return {};
  }
  Result<> conclude() {
    if (!out.empty()) {
      target.close();
      HONE_CHECK(files.rename(target.path(), out));
      HONE_CHECK(files.sync_folder(folder_of(out)));
    }
    journal.close();
    HONE_CHECK(files.remove(journal.path()));
    return files.sync_folder(folder_of(journal.path()));
  }
};

Surroundings& around(void* context) { return *static_cast<Surroundings*>(context); }

Storage storage_of(Surroundings& surroundings, std::uint64_t patch_bytes) {
  Storage storage{};
  storage.context = &surroundings;
  storage.patch_bytes = patch_bytes;
  storage.read = [](void* self, Place place, std::uint64_t offset, std::uint8_t* bytes, std::size_t count) {
    return around(self).keep(around(self).read(place, offset, {bytes, count}));
  };
  storage.write = [](void* self, Place place, std::uint64_t offset, const std::uint8_t* bytes, std::size_t count) {
    return around(self).keep(around(self).at(place).write(offset, {bytes, count}));
  };
  storage.sync = [](void* self, Place place) { return around(self).keep(around(self).at(place).sync()); };
  storage.resize = [](void* self, Place place, std::uint64_t bytes) {
    return around(self).keep(around(self).at(place).resize(bytes));
  };
  storage.bytes = [](void* self, Place place) -> std::uint64_t {
    auto size = place == Place::base ? around(self).base->size() : around(self).at(place).bytes();
    if (!size) around(self).keep(fail(size.error()));
    return size.value_or(0);
  };
  storage.read_patch = [](void* self, std::uint64_t offset, std::uint8_t* bytes, std::size_t count) {
    return around(self).keep(Surroundings::read_whole(around(self).patch, offset, {bytes, count}, "the delta"));
  };
  storage.conclude = [](void* self) { return around(self).keep(around(self).conclude()); };
  storage.on_progress = [](void* self, std::uint64_t done, std::uint64_t total) {
    if (around(self).options.on_progress)
      around(self).options.on_progress(total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total));
  };
  storage.hash_begin = [](void* self) { around(self).hash = Sha256Stream(); };
  storage.hash_add = [](void* self, const std::uint8_t* bytes, std::size_t count) { around(self).hash.update({bytes, count}); };
  storage.hash_end = [](void* self, std::uint8_t* digest) {
    const Sha256 end = around(self).hash.finish();
    std::copy(end.bytes.begin(), end.bytes.end(), digest);
  };
  return storage;
}

Result<Applied> run(Surroundings& surroundings, bool in_place) {
  HONE_TRY(const std::uint64_t patch_bytes, surroundings.patch.size());
  const Storage storage = storage_of(surroundings, patch_bytes);
  std::vector<std::uint64_t> workspace((Decoder::workspace_bytes(Profile::standard) + kScratchBytes) / sizeof(std::uint64_t));
  Applier applier(storage, workspace.data(), workspace.size() * sizeof(std::uint64_t));
  const ApplyOptions& options = surroundings.options;
  HONE_TRY(const std::uint64_t journal_bytes, surroundings.journal.bytes());
  const Status status = in_place ? applier.apply_in_place(options.target_bytes_max)
                                 : applier.apply_beside(options.target_bytes_max, options.step_bytes);
  if (!surroundings.failure) return fail(surroundings.failure.error());
  if (status != Status::done) return fail(error_of(status));
  return Applied{applier.header().target_bytes, journal_bytes > 0};
}

// Whether an earlier call had come as far as giving the target its name.
Result<bool> is_named_already(Files& files, const std::string& out, File& patch) {
  HONE_TRY(const bool has_journal, files.exists(out + ".journal"));
  HONE_TRY(const bool has_part, files.exists(out + ".part"));
  HONE_TRY(const bool has_out, files.exists(out));
  if (!has_journal || has_part || !has_out) return false;
  Bytes head(kInPlaceHeaderBytes);
  HONE_TRY(const std::size_t got, patch.read_at(0, head));
  Header header;
  if (read_header(head.data(), got, header) != Status::ok) return false;
  HONE_TRY(const auto file, files.open(out, OpenMode::read));
  HONE_TRY(const std::uint64_t bytes, file->size());
  if (bytes != header.target_bytes) return false;
  Sha256Stream hash;
  Bytes piece(kScratchBytes);
  for (std::uint64_t at = 0; at < bytes;) {
    HONE_TRY(const std::size_t count, file->read_at(at, piece));
    if (count == 0) return false;
    hash.update(ByteView(piece).first(count));
    at += count;
  }
  const Sha256 found = hash.finish();
  return std::equal(found.bytes.begin(), found.bytes.end(), header.target_sha256);
}

}  // namespace

Result<Applied> apply_in_place(Files& files, const std::string& file, const std::string& patch, const ApplyOptions& options) {
  HONE_TRY(const auto patch_file, files.open(patch, OpenMode::read));
  HONE_TRY(const auto is_there, files.open(file, OpenMode::read));
  Surroundings surroundings{files, options, *patch_file, nullptr, {files, file}, {files, file + ".journal"}, {}};
  return run(surroundings, true);
}

Result<Applied> apply_beside(Files& files, const std::string& base, const std::string& patch, const std::string& out,
                             const ApplyOptions& options) {
  HONE_TRY(const auto patch_file, files.open(patch, OpenMode::read));
  HONE_TRY(const bool is_named, is_named_already(files, out, *patch_file));
  if (is_named) {
    HONE_CHECK(files.sync_folder(folder_of(out)));
    HONE_CHECK(files.remove(out + ".journal"));
    HONE_CHECK(files.sync_folder(folder_of(out)));
    HONE_TRY(const auto done, files.open(out, OpenMode::read));
    HONE_TRY(const std::uint64_t bytes, done->size());
    return Applied{bytes, true};
  }
  HONE_TRY(const auto base_file, files.open(base, OpenMode::read));
  Surroundings surroundings{files, options, *patch_file, base_file.get(), {files, out + ".part"}, {files, out + ".journal"}, out};
  auto applied = run(surroundings, false);
  if (applied || applied.error().code == Code::unavailable || applied.error().code == Code::no_space) return applied;
  // Trying again would not help: leave nothing behind.
  surroundings.target.close();
  surroundings.journal.close();
  HONE_CHECK(files.remove(out + ".part"));
  HONE_CHECK(files.remove(out + ".journal"));
  return applied;
}

}  // namespace hone::delta
