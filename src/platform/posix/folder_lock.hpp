// One process a folder: an advisory lock (flock on FOLDER/lock) that ends with the process, however it ends.
#pragma once

#include <string>

#include "base/result.hpp"

namespace hone::platform {

class FolderLock {
 public:
  // `program` is what runs there, `option` the one that names the folder: both for the sentences of the errors.
  // `invalid`, saying who holds it, when another process does, and when the folder cannot be written to.
  [[nodiscard]] static Result<FolderLock> take(const std::string& folder, const std::string& program, const std::string& option);
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace hone::platform
