#include "cloud/store/files/blobs.hpp"

#include <atomic>
#include <mutex>
#include <set>
#include <utility>

namespace hone::cloud {
namespace {

class BlobFolder : public BlobStore {
 public:
  BlobFolder(Files& files, std::string folder) : files_(files), folder_(std::move(folder)) {}

  Result<BlobHash> put(ByteView bytes) override {
    const BlobHash hash{sha256(bytes)};
    const std::string path = path_of(hash);
    HONE_CHECK(make_home(folder_of(path)));
    HONE_TRY(const bool known, intact(path, bytes.size()));
    if (known) return hash;
    // Each writer has a name of its own, so that two puts of the same bytes cannot mix.
    const std::string temporary = folder_ + "/tmp/" + hash.hex() + "." + std::to_string(++writes_);
    if (auto written = write(temporary, path, bytes); !written) {
      (void)files_.remove(temporary);
      return fail(written.error().within("store " + hash.hex()));
    }
    return hash;
  }

  Result<Bytes> get(const BlobHash& hash, std::uint64_t bytes_max) override {
    auto bytes = read_file(files_, path_of(hash), bytes_max);
    if (!bytes) return fail(bytes.error().within("blob " + hash.hex()));
    if (sha256(*bytes) != hash.sha256) {
      return fail(Code::damaged, "blob " + hash.hex() + " has rotted on disk: restore it from a backup");
    }
    return std::move(*bytes);
  }

  Result<bool> has(const BlobHash& hash) override { return files_.exists(path_of(hash)); }

 private:
  std::string path_of(const BlobHash& hash) const {
    const std::string hex = hash.hex();
    return folder_ + "/" + hex.substr(0, 2) + "/" + hex.substr(2, 2) + "/" + hex;
  }

  // A rename makes a blob visible only after its bytes were synced, so the size is check enough here;
  // get() checks the hash.
  Result<bool> intact(const std::string& path, std::uint64_t size) {
    HONE_TRY(const bool there, files_.exists(path));
    if (!there) return false;
    HONE_TRY(const auto file, files_.open(path, OpenMode::read));
    HONE_TRY(const std::uint64_t found, file->size());
    if (found != size) return false;
    // The writer before us may have crashed, or still be, between rename and the folder's sync.
    HONE_CHECK(files_.sync_folder(folder_of(path)));
    return true;
  }

  // Two levels of folders whose names are durable too; remembered, so that each is synced once.
  Result<> make_home(const std::string& home) {
    {
      const std::lock_guard lock(mutex_);
      if (homes_.contains(home)) return {};
    }
    HONE_CHECK(files_.make_folders(home));
    HONE_CHECK(files_.sync_folder(folder_of(home)));
    HONE_CHECK(files_.sync_folder(folder_));
    const std::lock_guard lock(mutex_);
    homes_.insert(home);
    return {};
  }

  Result<> write(const std::string& temporary, const std::string& path, ByteView bytes) {
    {
      HONE_TRY(const auto file, files_.open(temporary, OpenMode::truncate));
      HONE_CHECK(file->write_at(0, bytes));
      HONE_CHECK(file->sync());
    }
    HONE_CHECK(files_.rename(temporary, path));
    return files_.sync_folder(folder_of(path));
  }

  Files& files_;
  const std::string folder_;
  std::atomic<std::uint64_t> writes_{0};
  std::mutex mutex_;
  std::set<std::string> homes_;  // guarded by mutex_; at most 65,536
};

}  // namespace

Result<std::unique_ptr<BlobStore>> open_blob_folder(Files& files, std::string folder) {
  const std::string temporaries = folder + "/tmp";
  HONE_CHECK(files.make_folders(temporaries));
  // Every name on the way has to survive a power cut, or what is below it would not.
  for (std::string path = temporaries; path != "." && path != "/"; path = folder_of(path)) {
    HONE_CHECK(files.sync_folder(folder_of(path)));
  }
  HONE_TRY(const auto left, files.list(temporaries));
  for (const auto& name : left) HONE_CHECK(files.remove(temporaries + "/" + name));
  return std::make_unique<BlobFolder>(files, std::move(folder));
}

}  // namespace hone::cloud
