#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>

#include "platform/posix/posix.hpp"

namespace hone::platform {
namespace {

Code code_of(int number) {
  switch (number) {
    case ENOENT: return Code::not_found;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return Code::no_space;
    case EISDIR:
    case ENOTDIR:
    case EEXIST:
    case ENOTEMPTY:
    case ENAMETOOLONG:
    case ELOOP:
    case EINVAL:
    case EBADF:  // written through a file that was opened to be read
    case EACCES:
    case EPERM:
    case EROFS:
    case EXDEV: return Code::invalid;
    default: return Code::unavailable;
  }
}

// Reads errno: to be called before anything else can change it.
tl::unexpected<Error> failed(std::string_view doing, const std::string& path) {
  const int number = errno;
  return fail(code_of(number), std::string(doing) + " " + path + ": " + std::generic_category().message(number));
}

// The kernel would cut a path at a zero byte and act on another one.
Result<> check_path(const std::string& path) {
  if (path.empty()) return fail(Code::invalid, "a path must not be empty");
  if (path.find('\0') != std::string::npos) return fail(Code::invalid, "a path must not hold a zero byte");
  return {};
}

Result<off_t> check_offset(std::uint64_t offset, const std::string& path) {
  if (offset > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max())) {
    return fail(Code::invalid, "offset " + std::to_string(offset) + " is beyond what a file can have: " + path);
  }
  return static_cast<off_t>(offset);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

class PosixFile : public File {
 public:
  PosixFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  [[nodiscard]] Result<std::uint64_t> size() const override {
    struct stat info {};
    if (::fstat(fd_.get(), &info) != 0) return failed("cannot ask the size of", path_);
    return static_cast<std::uint64_t>(info.st_size);
  }

  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
    HONE_TRY(const off_t start, check_offset(offset, path_));
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t got = ::pread(fd_.get(), out.data() + done, out.size() - done, start + static_cast<off_t>(done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return failed("cannot read", path_);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  [[nodiscard]] Result<> write_at(std::uint64_t offset, ByteView bytes) override {
    HONE_CHECK(check_offset(offset + bytes.size() < offset ? offset : offset + bytes.size(), path_));
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t put =
          ::pwrite(fd_.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return failed("cannot write", path_);
      done += static_cast<std::size_t>(put);
    }
    return {};
  }

  [[nodiscard]] Result<> truncate(std::uint64_t size) override {
    HONE_TRY(const off_t end, check_offset(size, path_));
    while (::ftruncate(fd_.get(), end) != 0) {
      if (errno != EINTR) return failed("cannot change the size of", path_);
    }
    return {};
  }

  [[nodiscard]] Result<> sync() override {
    // Not repeated after a failure: the kernel may have dropped the dirty pages, so a second
    // fsync would report a success that is none.
    if (::fsync(fd_.get()) != 0) return failed("cannot sync", path_);
    return {};
  }

 private:
  Descriptor fd_;
  std::string path_;
};

int flags_of(OpenMode mode) {
  switch (mode) {
    case OpenMode::read: return O_RDONLY;
    case OpenMode::write: return O_RDWR;
    case OpenMode::create: return O_RDWR | O_CREAT;
    case OpenMode::truncate:
    case OpenMode::truncate_private: return O_RDWR | O_CREAT | O_TRUNC;
  }
  return O_RDONLY;
}

Result<Descriptor> open_descriptor(const std::string& path, int flags, mode_t permissions = 0666) {
  HONE_CHECK(check_path(path));
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, permissions);  // less what the umask takes away
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return failed("cannot open", path);
  return Descriptor(fd);
}

class PosixFiles : public Files {
 public:
  [[nodiscard]] Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    const bool is_private = mode == OpenMode::truncate_private;
    HONE_TRY(Descriptor fd, open_descriptor(path, flags_of(mode), is_private ? 0600 : 0666));
    // The file may be there already, more open than a secret allows.
    if (is_private && ::fchmod(fd.get(), 0600) != 0) return failed("cannot make private", path);
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) return failed("cannot open", path);
    if (S_ISDIR(info.st_mode)) return fail(Code::invalid, "cannot open " + path + ": it is a folder");
    return std::make_unique<PosixFile>(std::move(fd), path);
  }

  [[nodiscard]] Result<> make_folders(const std::string& path) override {
    HONE_CHECK(check_path(path));
    for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
      HONE_CHECK(make_folder(path.substr(0, end)));
      if (end == std::string::npos) return {};
    }
  }

  [[nodiscard]] Result<> rename(const std::string& from, const std::string& to) override {
    HONE_CHECK(check_path(from));
    HONE_CHECK(check_path(to));
    if (::rename(from.c_str(), to.c_str()) != 0) return failed("cannot rename " + from + " to", to);
    return {};
  }

  [[nodiscard]] Result<> remove(const std::string& path) override {
    HONE_CHECK(check_path(path));
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failed("cannot remove", path);
    return {};
  }

  [[nodiscard]] Result<bool> exists(const std::string& path) override {
    HONE_CHECK(check_path(path));
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return failed("cannot look for", path);
  }

  [[nodiscard]] Result<std::vector<std::string>> list(const std::string& folder) override {
    HONE_CHECK(check_path(folder));
    DIR* dir = ::opendir(folder.c_str());
    if (dir == nullptr) return failed("cannot list", folder);
    const std::unique_ptr<DIR, int (*)(DIR*)> closer(dir, ::closedir);
    std::vector<std::string> names;
    while (true) {
      errno = 0;  // the only way to tell the end from a failure
      const dirent* entry = ::readdir(dir);
      if (entry == nullptr) break;
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) return failed("cannot list", folder);
    std::sort(names.begin(), names.end());
    return names;
  }

  [[nodiscard]] Result<> sync_folder(const std::string& folder) override {
    HONE_TRY(const Descriptor fd, open_descriptor(folder, O_RDONLY | O_DIRECTORY));
    if (::fsync(fd.get()) != 0) return failed("cannot sync", folder);
    return {};
  }

 private:
  static Result<> make_folder(const std::string& path) {
    if (::mkdir(path.c_str(), 0777) == 0) return {};
    if (errno != EEXIST) return failed("cannot make the folder", path);
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return failed("cannot make the folder", path);
    if (!S_ISDIR(info.st_mode)) return fail(Code::invalid, "cannot make the folder " + path + ": a file has that name");
    return {};
  }
};

}  // namespace

std::unique_ptr<Files> make_posix_files() {
  return std::make_unique<PosixFiles>();
}

}  // namespace hone::platform
