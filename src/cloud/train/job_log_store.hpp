// Where the logs of jobs are kept, as training asks for it. Each call is one transaction, durable when it returns.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "shared/wire/job_log.hpp"

namespace hone::cloud {

constexpr std::int64_t kJobLogLinesMax = 2000;  // of one job; older lines make room

struct JobLogLine {
  std::int64_t attempt = 0;
  wire::LogLine line;
};

class JobLogStore {
 public:
  virtual ~JobLogStore() = default;
  // Lines whose attempt and number are there already are left as they are: a heartbeat may come twice.
  [[nodiscard]] virtual Result<> append(std::int64_t job, std::int64_t attempt, const std::vector<wire::LogLine>& lines) = 0;
  [[nodiscard]] virtual Result<std::vector<JobLogLine>> lines(std::int64_t job) = 0;  // oldest first
};

}  // namespace hone::cloud
