#include "trainer/client/job_log.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace hone::trainer {

void JobLog::begin() {
  const std::lock_guard lock(mutex_);
  pending_.clear();
  last_ = 0;
}

void JobLog::add(Time at, std::string_view text) {
  std::string line = wire::log_text(text);
  const std::lock_guard lock(mutex_);
  if (pending_.size() == kPendingLogLinesMax) pending_.pop_front();
  pending_.push_back({++last_, at, std::move(line)});
}

std::vector<wire::LogLine> JobLog::next() const {
  const std::lock_guard lock(mutex_);
  const auto count = static_cast<std::ptrdiff_t>(std::min(pending_.size(), wire::kLogLinesMax));
  return {pending_.begin(), pending_.begin() + count};
}

void JobLog::told(std::int64_t up_to) {
  const std::lock_guard lock(mutex_);
  while (!pending_.empty() && pending_.front().number <= up_to) pending_.pop_front();
}

bool JobLog::empty() const {
  const std::lock_guard lock(mutex_);
  return pending_.empty();
}

}  // namespace hone::trainer
