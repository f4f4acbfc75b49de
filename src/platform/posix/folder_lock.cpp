#include "platform/posix/folder_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace hone::platform {

Result<FolderLock> FolderLock::take(const std::string& folder, const std::string& program, const std::string& option) {
  const std::string path = folder + "/lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return fail(Code::invalid, "cannot write to the folder " + folder + ": " + std::generic_category().message(errno) +
                                   "; choose another with " + option);
  FolderLock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    std::array<char, 32> holder{};
    const ssize_t n = ::pread(fd, holder.data(), holder.size(), 0);
    const std::string pid(holder.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
    return fail(Code::invalid, "another " + program + (pid.empty() ? std::string() : " (process " + pid + ")") +
                                   " runs on the folder " + folder + "; stop it, or choose another folder with " + option);
  }
  const std::string self = std::to_string(::getpid());
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, self.data(), self.size(), 0) < 0)
    return fail(Code::no_space, "cannot write to " + path + ": " + std::generic_category().message(errno));
  return lock;
}

FolderLock::FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FolderLock::~FolderLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace hone::platform
