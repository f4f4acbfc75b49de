// Ends a run of ONNX Runtime that takes too long: a graph may hold a loop that never ends.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/time.hpp"
#include "shared/model/run/onnx_library.hpp"

namespace hone::model {

// Watches one run from its construction to finish(), from a thread of its own. Borrows `options`, those of the run.
class RunLimit {
 public:
  RunLimit(const OrtApi* api, OrtRunOptions* options, Duration max)
      : thread_([this, api, options, max](const std::stop_token& stop) {
          std::unique_lock lock(mutex_);
          finished_.wait_for(lock, stop, max, [] { return false; });
          if (stop.stop_requested()) return;
          reached_ = true;
          // What could fail here is to make the status of a failure: then the run goes on.
          if (OrtStatus* status = api->RunOptionsSetTerminate(options)) api->ReleaseStatus(status);
        }) {}

  // The run has come back; true when it was ended.
  [[nodiscard]] bool finish() {
    thread_.request_stop();
    thread_.join();
    return reached_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any finished_;
  bool reached_ = false;  // by the thread; read after it has ended
  std::jthread thread_;   // last: it uses the others
};

}  // namespace hone::model
