#include "step_loop.hpp"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace hone::app {
namespace {
constexpr Duration kSleepMax = std::chrono::hours(1);  // keeps the deadline's arithmetic in range
constexpr int kNiceness = 10;                          // judging and encoding may wait; requests may not
}  // namespace

StepLoop::~StepLoop() {
  (void)stop(Duration(0));
  if (thread_.joinable()) thread_.join();
}

void StepLoop::start(Step step) {
  ended_ = false;
  thread_ = std::thread([this, step = std::move(step)] { run(step); });
}

void StepLoop::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

bool StepLoop::stop(Duration patience) {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
  return changed_.wait_for(lock, patience, [this] { return ended_; });
}

void StepLoop::run(const Step& step) {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kNiceness);  // this thread's alone, on Linux
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    woken_ = false;  // what comes during the step asks for another
    lock.unlock();
    const Duration sleep = std::clamp(step(), Duration(0), kSleepMax);
    lock.lock();
    changed_.wait_for(lock, sleep, [this] { return woken_ || stopping_; });
  }
  ended_ = true;
  changed_.notify_all();
}

}  // namespace hone::app
