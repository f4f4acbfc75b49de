#include "platform/posix/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace hone::platform {
namespace {

// Pointers for exec, whose strings must outlive them.
std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// Between fork and exec only calls that are safe in a signal handler: other threads of the parent
// may have held any lock. Reports errno through `report` and never returns.
[[noreturn]] void become(char* const* argv, char* const* environment, const ChildSetup& setup, pid_t parent,
                         int report) {
  const auto give_up = [&] {
    const int number = errno;
    (void)!::write(report, &number, sizeof number);
    ::_exit(127);
  };
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up();
  if (::getppid() != parent) ::_exit(127);  // the parent died before the line above

  if (setup.own_group && ::setpgid(0, 0) != 0) give_up();
  if (!setup.output_file.empty()) {
    const int out = ::open(setup.output_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (out < 0 || ::dup2(out, STDOUT_FILENO) < 0 || ::dup2(out, STDERR_FILENO) < 0) give_up();
  }
  if (setup.output_fd >= 0 && ::dup2(setup.output_fd, STDOUT_FILENO) < 0) give_up();
  if (setup.error_fd >= 0 && ::dup2(setup.error_fd, STDERR_FILENO) < 0) give_up();
  if (!setup.folder.empty() && ::chdir(setup.folder.c_str()) != 0) give_up();
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing < 0 || ::dup2(nothing, STDIN_FILENO) < 0) give_up();
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);  // sockets of ours among them

  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  for (int number = 1; number < 32; ++number) ::sigaction(number, &by_default, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);

  ::execve(argv[0], argv, environment);
  give_up();
  ::_exit(127);
}

// By number: the C library of Debian 12 declares these two in a way that C++ cannot link.
int open_pid(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

bool executable(const std::string& path) {
  std::error_code ec;
  return std::filesystem::is_regular_file(path, ec) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(const std::vector<std::string>& argv,
                                                          const ChildSetup& setup) {
  if (argv.empty()) return fail(Code::invalid, "no program to start");
  const std::vector<char*> arguments = pointers_to(argv);
  std::vector<char*> variables;
  if (setup.environment) variables = pointers_to(*setup.environment);
  char* const* environment = setup.environment ? variables.data() : environ;

  std::array<int, 2> report{};
  if (::pipe2(report.data(), O_CLOEXEC) != 0)
    return fail(Code::unavailable, "cannot start " + argv[0] + ": " + std::generic_category().message(errno));
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(arguments.data(), environment, setup, parent, report[1]);
  const int fork_error = errno;
  ::close(report[1]);
  int number = pid < 0 ? fork_error : 0;
  if (pid > 0) {
    ssize_t n = 0;
    do n = ::read(report[0], &number, sizeof number);  // ends when exec closes the other end
    while (n < 0 && errno == EINTR);
    if (n != sizeof number) number = 0;
  }
  ::close(report[0]);
  if (number != 0) {
    if (pid > 0) ::waitpid(pid, nullptr, 0);
    return fail(number == ENOENT ? Code::not_found : Code::unavailable,
                "cannot start " + argv[0] + ": " + std::generic_category().message(number));
  }
  return std::unique_ptr<ChildProcess>(new ChildProcess(pid, open_pid(pid), setup.own_group));
}

ChildProcess::~ChildProcess() {
  if (!exited()) {
    send_signal(SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (pid_fd_ >= 0) ::close(pid_fd_);
}

void ChildProcess::send_signal(int number) const {
  if (own_group_) {
    if (!status_) ::kill(-pid_, number);  // once waited for, its number may be somebody else's
  } else if (pid_fd_ >= 0) {
    ::syscall(SYS_pidfd_send_signal, pid_fd_, number, nullptr, 0);
  }
}

bool ChildProcess::has_ended() const {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_;
}

std::optional<int> ChildProcess::exited() {
  if (status_ || !has_ended()) return status_;
  if (own_group_) ::kill(-pid_, SIGKILL);  // while the child still holds its number, and so the group's
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == pid_)
    status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return status_;
}

std::optional<int> ChildProcess::wait(Duration timeout) {
  if (exited()) return status_;
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const auto left = std::chrono::ceil<Duration>(deadline - std::chrono::steady_clock::now());
    pollfd end{pid_fd_, POLLIN, 0};
    const int n = ::poll(&end, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (n >= 0 || errno != EINTR) return exited();
  }
}

std::optional<std::string> find_program(const std::string& name) {
  std::error_code ec;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", ec);
  if (!ec && executable(self.parent_path() / name)) return self.parent_path() / name;
  std::string folders = "/usr/sbin:/usr/local/sbin";
  if (const char* path = std::getenv("PATH")) folders = std::string(path) + ":" + folders;
  for (std::size_t begin = 0; begin <= folders.size();) {
    const std::size_t end = std::min(folders.find(':', begin), folders.size());
    const std::string candidate = folders.substr(begin, end - begin) + "/" + name;
    if (end > begin && executable(candidate)) return candidate;
    begin = end + 1;
  }
  return std::nullopt;
}

}  // namespace hone::platform
