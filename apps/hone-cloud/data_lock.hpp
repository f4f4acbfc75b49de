// One hone-cloud a data folder: an advisory lock that ends with the process, however it ends.
#pragma once

#include <string>

#include "base/result.hpp"

namespace hone::app {

class DataLock {
 public:
  // `invalid`, saying who holds it, when another process does.
  [[nodiscard]] static Result<DataLock> take(const std::string& folder);
  DataLock(DataLock&& other) noexcept;
  DataLock& operator=(DataLock&&) = delete;
  ~DataLock();

 private:
  explicit DataLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace hone::app
