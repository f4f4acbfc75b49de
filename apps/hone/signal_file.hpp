// Signals of a terminal, of an init system, and of children that end, taken where somebody waits for them.
#pragma once

#include <csignal>

#include "base/time.hpp"

namespace hone::app {

// While it lives, SIGTERM, SIGINT, SIGHUP and SIGCHLD are blocked in the thread that made it (make it before there
// are others) and come out of wait() instead of ending the process.
class SignalFile {
 public:
  SignalFile();
  ~SignalFile();
  SignalFile(const SignalFile&) = delete;
  SignalFile& operator=(const SignalFile&) = delete;

  // Until `timeout` or a signal. True: it is time to stop.
  [[nodiscard]] bool wait(Duration timeout);

 private:
  int fd_ = -1;
  sigset_t before_{};
};

}  // namespace hone::app
