#include "signal_file.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace hone::app {

SignalFile::SignalFile() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, &before_);
  fd_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

SignalFile::~SignalFile() {
  if (fd_ >= 0) ::close(fd_);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool SignalFile::wait(Duration timeout) {
  pollfd readable{fd_, POLLIN, 0};
  (void)::poll(&readable, 1, static_cast<int>(timeout.count()));
  signalfd_siginfo info{};
  bool stop = false;
  while (::read(fd_, &info, sizeof info) == sizeof info) stop = stop || info.ssi_signo != SIGCHLD;
  return stop;
}

}  // namespace hone::app
