// The lines that a trainer has logged about the job at hand and not yet told the cloud.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "shared/wire/job_log.hpp"

namespace hone::trainer {

constexpr std::size_t kPendingLogLinesMax = 512;  // of a cloud that does not answer; older ones make room

// Any thread.
class JobLog {
 public:
  void begin();  // a new job: numbers from 1, nothing pending
  void add(Time at, std::string_view text);
  // The oldest ones, as many as one heartbeat carries.
  [[nodiscard]] std::vector<wire::LogLine> next() const;
  void told(std::int64_t up_to);  // that line and those before it have arrived
  [[nodiscard]] bool empty() const;

 private:
  mutable std::mutex mutex_;  // guards what follows
  std::deque<wire::LogLine> pending_;
  std::int64_t last_ = 0;
};

}  // namespace hone::trainer
