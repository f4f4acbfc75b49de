// Whatever this process logs while it has a job goes to the cloud with the job's heartbeats.
#pragma once

#include <spdlog/sinks/base_sink.h>

#include <mutex>
#include <string>

#include "trainer/client/lease_keeper.hpp"

namespace hone::trainer {

// For spdlog's loggers; the keeper must outlive them.
class JobLogSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit JobLogSink(LeaseKeeper& keeper) : keeper_(keeper) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const auto level = spdlog::level::to_string_view(message.level);
    std::string line(level.data(), level.size());
    line += ": ";
    line.append(message.payload.data(), message.payload.size());
    keeper_.log(line);
  }
  void flush_() override {}

 private:
  LeaseKeeper& keeper_;
};

}  // namespace hone::trainer
