// machine-watch: listens to a machine's sensors and says when a reading stands out. Nobody labels anything.
//
// The application is watch(): take the next reading, ask the model, tell when it is an anomaly, hand the reading over.
// All that hone adds is infer, observe, and a second thread that calls step. While the cloud collects, every reading
// goes there; once its goal is met, none does, and the machine is watched without any network.
#include <fcntl.h>
#include <hone/hone.hpp>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string ticket, state, readings = "-", trace;
  double rate_hz = 1;
  double stream_hz = 0;  // above 0: readings are a stream of which the pipeline cuts windows, so many a second
};

// One write a line: lines of the two threads do not mix. Nobody listening is no reason to stop.
void print(std::string_view line) {
  while (!line.empty()) {
    const ssize_t written = write(STDOUT_FILENO, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    line.remove_prefix(static_cast<std::size_t>(written));
  }
}

// ---- the sensors: a stream of lines, one reading each, its numbers separated by commas

class Sensors {
 public:
  explicit Sensors(int fd) : fd_(fd) {}

  // The next reading; nothing when none came for a while, or at the end of the stream: a machine that stands still.
  bool next(std::vector<float>& reading) {
    while (true) {
      const std::size_t end = text_.find('\n', from_);
      if (end != std::string::npos) {
        const std::string_view line(text_.data() + from_, end - from_);
        from_ = end + 1;
        if (parse(line, reading)) return true;
        std::fprintf(stderr, "machine-watch: '%.*s' is no reading: numbers separated by commas are expected\n",
                     static_cast<int>(std::min<std::size_t>(line.size(), 80)), line.data());
        continue;
      }
      text_.erase(0, std::exchange(from_, 0));
      if (text_.size() > kLineBytesMax) text_.clear();
      if (!fill()) return false;
    }
  }

 private:
  static constexpr std::size_t kLineBytesMax = 1 << 16;

  static bool parse(std::string_view line, std::vector<float>& reading) {
    reading.clear();
    const char* at = line.data();
    const char* const end = at + line.size();
    while (true) {
      float value = 0;
      const auto [next, error] = std::from_chars(at, end, value);
      if (error != std::errc()) return false;
      reading.push_back(value);
      if (next == end || *next == '\r') return true;
      if (*next != ',') return false;
      at = next + 1;
    }
  }

  bool fill() {
    pollfd ready{fd_, POLLIN, 0};
    if (poll(&ready, 1, kWaitMs) != 1) return false;
    char buffer[4096];
    const ssize_t got = read(fd_, buffer, sizeof buffer);
    if (got <= 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(kWaitMs));
      return false;
    }
    text_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }

  static constexpr int kWaitMs = 50;
  int fd_;
  std::string text_;
  std::size_t from_ = 0;
};

// ---- what the two threads share

// What the model said of one reading, for whoever wants to measure it.
struct TraceRecord {
  std::uint64_t reading;  // from 0; of a stream the one that completed the window
  std::int32_t release;   // 0: no model, -1: error
  std::int32_t duration_us;
  float score;             // the distance to what is ordinary
  std::int32_t anomalous;  // 1 or 0
};
static_assert(sizeof(TraceRecord) == 24);

class Application {
 public:
  Application(Options options, hone::Device device, int sensors, std::FILE* trace)
      : options_(std::move(options)), device_(std::move(device)), sensors_(sensors), trace_(trace) {}

  // The application itself.
  void watch() {
    std::vector<float> reading, answer(3);  // score, anomalous or not, cluster
    const auto period = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / options_.rate_hz));
    auto next = Clock::now();
    while (!stop_) {
      if (!sensors_.next(reading)) {
        next = Clock::now();
        continue;
      }
      if (options_.stream_hz > 0)
        hear(reading, answer);
      else
        look(reading, answer);
      ++readings_;
      next = std::max(next + period, Clock::now() - period);  // late: no burst to catch up
      std::this_thread::sleep_until(next);
    }
  }

  // The other thread: lets hone work, tells what changed.
  void step() {
    std::string told;
    while (!stop_) {
      auto sleep = std::chrono::milliseconds(200);
      try {
        sleep = std::min(sleep, device_.step());
      } catch (const hone::Failure& failure) {
        std::fprintf(stderr, "machine-watch: %s\n", failure.what());
      }
      std::string status = status_line();
      if (status != told) print(told = std::move(status));
      if (trace_) std::fflush(trace_);
      std::this_thread::sleep_for(std::max(sleep, std::chrono::milliseconds(20)));
    }
  }

  void stop() { stop_ = true; }

 private:
  // Each reading is a sample of its own.
  void look(const std::vector<float>& reading, std::vector<float>& answer) {
    const std::size_t bytes = reading.size() * sizeof(float);
    ask(answer, [&] { return device_.infer(reading.data(), bytes, &answer); });
    try {
      device_.observe(reading.data(), bytes);
    } catch (const hone::Failure& failure) {
      std::fprintf(stderr, "machine-watch: observe: %s\n", failure.what());
    }
  }

  // hone cuts windows of the readings; each that is complete is asked about. The readings' own clock goes by their rate,
  // however fast they are played.
  void hear(const std::vector<float>& reading, std::vector<float>& answer) {
    const auto at_ms = began_ms_ + static_cast<std::int64_t>(1000.0 * static_cast<double>(readings_) / options_.stream_hz);
    const auto on_window = [&] { ask(answer, [&] { return device_.infer_window(&answer); }); };
    try {
      // Until the cloud has told what the pipeline is, nothing is taken.
      while (!stop_ && !device_.observe_readings(reading.data(), reading.size() * sizeof(float), on_window, at_ms))
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    } catch (const hone::Failure& failure) {
      std::fprintf(stderr, "machine-watch: observe: %s\n", failure.what());
    }
  }

  template <class Infer>
  void ask(const std::vector<float>& answer, const Infer& infer) {
    const auto began = Clock::now();
    std::optional<hone_result> result;
    bool failed = false;
    try {
      result = infer();
    } catch (const hone::Failure& failure) {
      failed = true;
      std::fprintf(stderr, "machine-watch: infer: %s\n", failure.what());
    }
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began);
    const bool anomalous = result && answer[1] != 0;
    if (anomalous) tell(answer[0], result->release);
    if (!trace_) return;
    const TraceRecord record{readings_, failed ? -1 : result ? static_cast<std::int32_t>(result->release) : 0,
                             static_cast<std::int32_t>(took.count()), result ? answer[0] : 0, anomalous ? 1 : 0};
    std::fwrite(&record, sizeof record, 1, trace_);
  }

  void tell(float score, std::uint64_t release) const {
    char line[160];
    std::snprintf(line, sizeof line, "{\"anomaly\":{\"reading\":%llu,\"score\":%.6g,\"release\":%llu}}\n",
                  static_cast<unsigned long long>(readings_.load()), static_cast<double>(score),
                  static_cast<unsigned long long>(release));
    print(line);
  }

  std::string status_line() const {
    const hone_device_status s = device_.status();
    std::string error;
    for (const char c : std::string_view(s.error)) {
      if (c == '"' || c == '\\') error += '\\';
      error += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    char line[1600];
    std::snprintf(line, sizeof line,
                  "{\"status\":{\"state\":\"%s\",\"update\":\"%s\",\"release\":%llu,\"readings\":%llu,\"spooled\":%llu,"
                  "\"uploaded\":%llu,\"uploaded_bytes\":%llu,\"skipped\":%llu,\"error\":\"%s\"}}\n",
                  hone_state_name(s.state), s.update, static_cast<unsigned long long>(s.release),
                  static_cast<unsigned long long>(readings_.load()), static_cast<unsigned long long>(s.rows_spooled),
                  static_cast<unsigned long long>(s.rows_uploaded), static_cast<unsigned long long>(s.bytes_uploaded),
                  static_cast<unsigned long long>(s.rows_skipped), error.c_str());
    return line;
  }

  const Options options_;
  hone::Device device_;
  Sensors sensors_;
  std::FILE* const trace_;  // stdio locks it
  const std::int64_t began_ms_ =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  std::atomic<std::uint64_t> readings_{0};
  std::atomic<bool> stop_{false};
};

// ---- the command line

[[noreturn]] void wrong_usage(const std::string& why) {
  std::fprintf(stderr,
               "machine-watch: %s\n"
               "usage: machine-watch --state DIR [--ticket FILE] [--readings FILE|-] [--rate HZ] [--stream HZ] [--trace FILE]\n",
               why.c_str());
  std::exit(2);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view key = argv[i];
    if (i + 1 == argc) wrong_usage(std::string(key) + " needs a value");
    const std::string value = argv[++i];
    if (key == "--ticket") {
      options.ticket = value;
    } else if (key == "--state") {
      options.state = value;
    } else if (key == "--readings") {
      options.readings = value;
    } else if (key == "--trace") {
      options.trace = value;
    } else if (key == "--rate" || key == "--stream") {
      char* end = nullptr;
      double& hz = key == "--rate" ? options.rate_hz : options.stream_hz;
      hz = std::strtod(value.c_str(), &end);
      if (end == value.c_str() || *end || !(hz >= 0.001 && hz <= 100'000))
        wrong_usage(std::string(key) + " must be a number of readings a second");
    } else {
      wrong_usage("unknown option " + std::string(key));
    }
  }
  if (options.state.empty()) wrong_usage("--state is missing");
  return options;
}

int run(const Options& options) {
  // Signals go to the main thread, which waits for nothing else.
  signal(SIGPIPE, SIG_IGN);
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);

  const int sensors = options.readings == "-" ? STDIN_FILENO : open(options.readings.c_str(), O_RDONLY | O_CLOEXEC);
  if (sensors < 0) {
    std::fprintf(stderr, "machine-watch: readings %s: %s\n", options.readings.c_str(), std::strerror(errno));
    return 1;
  }
  std::FILE* trace = nullptr;
  if (!options.trace.empty() && !(trace = std::fopen(options.trace.c_str(), "ab"))) {
    std::fprintf(stderr, "machine-watch: trace %s: %s\n", options.trace.c_str(), std::strerror(errno));
    return 1;
  }
  Application application(options, hone::Device::open(options.state, options.ticket), sensors, trace);
  std::thread stepping(&Application::step, &application);
  std::thread watching(&Application::watch, &application);
  int which = 0;
  sigwait(&ending, &which);
  application.stop();
  watching.join();
  stepping.join();
  if (trace) std::fclose(trace);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  try {
    return run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "machine-watch: %s\n", error.what());
    return 1;
  }
}
