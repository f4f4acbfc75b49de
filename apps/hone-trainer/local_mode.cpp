#include "local_mode.hpp"

#include <cstdio>
#include <string>

#include "base/json.hpp"
#include "platform/posix/posix.hpp"
#include "shared/wire/messages.hpp"

namespace hone::app {
namespace {

void write_line(const Json& value) {
  const std::string line = value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  (void)std::fwrite(line.data(), 1, line.size(), stdout);
  (void)std::fflush(stdout);
}

}  // namespace

int run_local(const trainer::LocalOptions& options, const std::function<bool()>& stopping) {
  const auto files = platform::make_posix_files();
  const auto clock = platform::make_system_clock();
  const auto progress = [&](const wire::ProgressPoint& point) {
    write_line(wire::to_json(point));
    return stopping();
  };
  const auto training = trainer::train_locally(options, *files, *clock, progress, stopping);
  if (training) {
    write_line({{"done", *training}});
    return 0;
  }
  write_line({{"error", training.error().context}, {"code", name_of(training.error().code)}});
  return 1;
}

}  // namespace hone::app
