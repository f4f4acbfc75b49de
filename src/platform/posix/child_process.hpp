// A program started as a child that does not outlive us: however this process ends, the kernel
// kills the child (PR_SET_PDEATHSIG). Linux ties that to the *thread* that called start(): call it
// from one that lives as long as the process, which the main thread does.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace hone::platform {

struct ChildSetup {
  std::string output_file;  // both its output and its errors go there (emptied first); empty: where our own go
  int output_fd = -1;       // instead, for its output: an open file or pipe of the caller, who still closes it
  int error_fd = -1;        // the same for its errors
  std::string folder;       // that it works in; empty: ours
  // "NAME=value", all that it gets; nullopt: ours. A program of somebody else's must not see our secrets.
  std::optional<std::vector<std::string>> environment;
  // It leads a process group of its own, which signals are sent to and which is killed when it has ended: whatever it
  // started ends with it. (A process that leaves the group gets away, and so do all but the child when we are killed.)
  bool own_group = false;
};

// Not for use by two threads at once, apart from send_signal() to a child without a group of its own.
class ChildProcess {
 public:
  // `argv[0]` is the program's path. It starts with no signal blocked or ignored and no file of ours open.
  // Errors: not_found (no such program), unavailable.
  [[nodiscard]] static Result<std::unique_ptr<ChildProcess>> start(const std::vector<std::string>& argv,
                                                                   const ChildSetup& setup = {});
  ~ChildProcess();  // kills it, when it still runs
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void send_signal(int number) const;

  // Its exit status as a shell gives it (128 + n after signal n), or nullopt while it runs.
  [[nodiscard]] std::optional<int> exited();
  // The same, waiting for at most `timeout`.
  [[nodiscard]] std::optional<int> wait(Duration timeout);

 private:
  ChildProcess(pid_t pid, int pid_fd, bool own_group) : pid_(pid), pid_fd_(pid_fd), own_group_(own_group) {}
  [[nodiscard]] bool has_ended() const;  // and is not yet waited for
  const pid_t pid_;
  const int pid_fd_;  // a pid alone may be somebody else's by now
  const bool own_group_;
  std::optional<int> status_;
};

// The program's path: `name` beside this executable, else in PATH, else in /usr/sbin or /usr/local/sbin,
// where daemons are and a user's PATH does not look.
[[nodiscard]] std::optional<std::string> find_program(const std::string& name);

}  // namespace hone::platform
