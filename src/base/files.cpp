#include "base/files.hpp"

#include <array>
#include <functional>
#include <mutex>

namespace hone {
namespace {

constexpr std::string_view kTemporarySuffix = ".tmp";

// Two threads that write one path would share its temporary; a few locks keep them apart
// without a new name for each write, which a crash would leave behind for ever.
std::mutex& lock_of(const std::string& path) {
  static std::array<std::mutex, 16> locks;
  return locks[std::hash<std::string>{}(path) % locks.size()];
}

Result<> write_and_sync(Files& files, const std::string& path, OpenMode mode, ByteView bytes) {
  HONE_TRY(const auto file, files.open(path, mode));
  HONE_CHECK(file->write_at(0, bytes));
  return file->sync();
}

Result<> write_beside_and_rename(Files& files, const std::string& path, OpenMode mode, ByteView bytes) {
  const std::lock_guard lock(lock_of(path));
  const std::string temporary = path + std::string(kTemporarySuffix);
  auto done = write_and_sync(files, temporary, mode, bytes);
  if (done) done = files.rename(temporary, path);
  if (!done) {
    (void)files.remove(temporary);  // gives the space back; the first error is the one that counts
    return done;
  }
  return files.sync_folder(folder_of(path));
}

}  // namespace

Result<Bytes> read_file(Files& files, const std::string& path, std::uint64_t bytes_max) {
  HONE_TRY(const auto file, files.open(path, OpenMode::read));
  HONE_TRY(const std::uint64_t size, file->size());
  if (size > bytes_max) {
    return fail(Code::invalid, path + " has " + std::to_string(size) + " bytes, at most " + std::to_string(bytes_max) +
                                   " are allowed");
  }
  Bytes bytes(size);
  HONE_TRY(const std::size_t got, file->read_at(0, bytes));
  bytes.resize(got);
  return bytes;
}

Result<> write_file_atomically(Files& files, const std::string& path, ByteView bytes) {
  return write_beside_and_rename(files, path, OpenMode::truncate, bytes);
}

Result<> write_private_file_atomically(Files& files, const std::string& path, ByteView bytes) {
  return write_beside_and_rename(files, path, OpenMode::truncate_private, bytes);
}

std::string folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

}  // namespace hone
