// The file system port: what hone asks of a disk, small enough to be simulated with power cuts.
//
// Durability is explicit. Bytes written survive a power cut after File::sync(); a name that was
// created, renamed or removed survives after Files::sync_folder() of the folder that holds it.
// Before that, any prefix of what was done may be found. Paths use '/'. Errors: not_found,
// no_space (disk full or quota), invalid (is a folder, bad path), unavailable (an I/O error).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace hone {

// An open file. Not for use by two threads at once; closed by its destructor.
class File {
 public:
  virtual ~File() = default;
  [[nodiscard]] virtual Result<std::uint64_t> size() const = 0;
  // Reads up to out.size() bytes; fewer only at the end of the file.
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const = 0;
  [[nodiscard]] virtual Result<> write_at(std::uint64_t offset, ByteView bytes) = 0;
  [[nodiscard]] virtual Result<> truncate(std::uint64_t size) = 0;
  [[nodiscard]] virtual Result<> sync() = 0;
};

enum class OpenMode {
  read,              // must exist
  write,             // read and write, must exist
  create,            // read and write, made when absent, kept as it is when present
  truncate,          // read and write, made or emptied
  truncate_private,  // like truncate, and only the owner may read it (POSIX mode 0600): keys, tokens
};

// Safe for use by several threads.
class Files {
 public:
  virtual ~Files() = default;
  [[nodiscard]] virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  [[nodiscard]] virtual Result<> make_folders(const std::string& path) = 0;                   // like mkdir -p
  [[nodiscard]] virtual Result<> rename(const std::string& from, const std::string& to) = 0;  // replaces
  [[nodiscard]] virtual Result<> remove(const std::string& path) = 0;                         // a file; absent is fine
  [[nodiscard]] virtual Result<bool> exists(const std::string& path) = 0;
  [[nodiscard]] virtual Result<std::vector<std::string>> list(
      const std::string& folder) = 0;  // file and folder names, sorted
  [[nodiscard]] virtual Result<> sync_folder(const std::string& folder) = 0;
};

// The whole file; refuses with `invalid` when it is larger than `bytes_max`.
[[nodiscard]] Result<Bytes> read_file(Files& files, const std::string& path, std::uint64_t bytes_max);

// All or nothing: a temporary beside it, synced, renamed over `path`, the folder synced.
[[nodiscard]] Result<> write_file_atomically(Files& files, const std::string& path, ByteView bytes);

// The same for keys and tokens: no other user can read the file at any moment.
[[nodiscard]] Result<> write_private_file_atomically(Files& files, const std::string& path, ByteView bytes);

// "a/b/c" -> "a/b"; "c" -> "."
[[nodiscard]] std::string folder_of(std::string_view path);

}  // namespace hone
