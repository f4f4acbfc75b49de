// The thread that takes the service's background steps: at once when woken, else when the last
// step said so.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "base/time.hpp"

namespace hone::app {

class StepLoop {
 public:
  using Step = std::function<Duration()>;  // returns how long it may sleep

  StepLoop() = default;
  ~StepLoop();  // waits for the step under way
  StepLoop(const StepLoop&) = delete;
  StepLoop& operator=(const StepLoop&) = delete;

  void start(Step step);  // once
  void wake();            // from any thread, also before start()

  // No further step begins; waits for the one under way, at most `patience`. True when it has ended.
  [[nodiscard]] bool stop(Duration patience);

 private:
  void run(const Step& step);

  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false, stopping_ = false, ended_ = true;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace hone::app
