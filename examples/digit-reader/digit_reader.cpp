// digit-reader: looks through a camera at handwritten digits and says what it sees.
//
// The application is the loop in look(): take a picture, ask the model, show the answer, and hand the
// picture over when the user said what it is. All that hone adds is hone_infer, hone_observe, and a
// second thread that calls hone_step.
#include <fcntl.h>
#include <hone/hone.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t kImageBytes = 28 * 28;
constexpr std::uint8_t kNoUserLabel = 255;
constexpr int kUpdatesAreNicer = 15;  // what hone does in the background never takes the CPU from classifying

struct Options {
  std::string ticket, state, camera, trace, name;
  double rate_hz = 20;
};

std::int64_t now_ns(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

// ---- the camera: a stream of frames, each the user's label (255: none) and 28 x 28 grey pixels

class Camera {
 public:
  explicit Camera(int fd) : fd_(fd) {}

  // The next frame, if it is there whole; never waits. The end of the stream is a camera that looks at
  // its last picture for ever.
  bool take(std::uint8_t& label, std::array<std::uint8_t, kImageBytes>& image) {
    pollfd ready{fd_, POLLIN, 0};
    while (have_ < frame_.size() && poll(&ready, 1, 0) == 1 && (ready.revents & POLLIN)) {
      const ssize_t got = read(fd_, frame_.data() + have_, frame_.size() - have_);
      if (got <= 0) break;
      have_ += static_cast<std::size_t>(got);
    }
    if (have_ < frame_.size()) return false;
    have_ = 0;
    label = frame_[0];
    std::copy(frame_.begin() + 1, frame_.end(), image.begin());
    return true;
  }

 private:
  int fd_;
  std::array<std::uint8_t, 1 + kImageBytes> frame_{};
  std::size_t have_ = 0;
};

// ---- what the two threads share

struct TraceRecord {
  std::int64_t monotonic_ns;  // when the answer was there
  std::int64_t unix_ns;
  std::int32_t release;  // 0: no model, -1: error
  std::int32_t duration_us;
};
static_assert(sizeof(TraceRecord) == 24);

class Application {
 public:
  Application(Options options, hone_device* device, int camera, std::FILE* trace)
      : options_(std::move(options)), device_(device), camera_(camera), trace_file_(trace) {}

  // The application itself.
  void look() {
    std::array<std::uint8_t, kImageBytes> image{};
    std::uint64_t frame = 0;
    const auto period_ns = static_cast<std::int64_t>(1e9 / options_.rate_hz);
    std::int64_t next_ns = now_ns(CLOCK_MONOTONIC);
    while (!stop_) {
      std::uint8_t label = kNoUserLabel;
      const bool fresh = camera_.take(label, image);
      if (fresh) ++frame;
      if (frame > 0) {
        const hone_result answer = classify(image);
        if (fresh && label != kNoUserLabel) learn(image, label);
        if (fresh) show(frame - 1, label, answer);
      }
      next_ns = std::max(next_ns + period_ns, now_ns(CLOCK_MONOTONIC) - period_ns);  // late: no burst to catch up
      const timespec until{next_ns / 1'000'000'000, next_ns % 1'000'000'000};
      clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    }
  }

  // The other thread: lets hone work, tells what changed, writes the trace.
  void step() {
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kUpdatesAreNicer);
    std::string told;
    auto told_at = std::chrono::steady_clock::now() - std::chrono::seconds(1);
    while (!stop_) {
      std::uint32_t sleep_ms = 0;
      hone_step(device_, &sleep_ms);
      const auto now = std::chrono::steady_clock::now();
      if (now - told_at >= std::chrono::milliseconds(200)) {
        std::string status = status_line();
        if (status != told) {
          print(status);
          told = std::move(status);
          told_at = now;
        }
      }
      write_trace();
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, std::chrono::milliseconds(std::min(sleep_ms, 200U)), [this] { return stop_.load(); });
    }
  }

  void stop() {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    wake_.notify_all();
  }

  void write_trace() {
    std::vector<TraceRecord> records;
    {
      const std::lock_guard lock(mutex_);
      records.swap(trace_);
    }
    if (trace_file_ && !records.empty()) std::fwrite(records.data(), sizeof(TraceRecord), records.size(), trace_file_);
  }

 private:
  hone_result classify(const std::array<std::uint8_t, kImageBytes>& image) {
    hone_result answer = HONE_RESULT_INIT;
    char message[HONE_MESSAGE_BYTES];
    const std::int64_t began = now_ns(CLOCK_MONOTONIC);
    const hone_code code =
        hone_infer(device_, image.data(), image.size(), &answer, nullptr, 0, message, sizeof message);
    const std::int64_t ended = now_ns(CLOCK_MONOTONIC);
    if (code != HONE_OK && code != HONE_NO_MODEL) std::fprintf(stderr, "digit-reader: infer: %s\n", message);
    const auto release = code == HONE_OK ? static_cast<std::int32_t>(answer.release) : code == HONE_NO_MODEL ? 0 : -1;
    const std::lock_guard lock(mutex_);
    if (trace_file_) {
      trace_.push_back({ended, now_ns(CLOCK_REALTIME), release, static_cast<std::int32_t>((ended - began) / 1000)});
    }
    return answer;
  }

  void learn(const std::array<std::uint8_t, kImageBytes>& image, std::uint8_t label) {
    char message[HONE_MESSAGE_BYTES];
    if (hone_observe(device_, image.data(), image.size(), label, message, sizeof message) != HONE_OK) {
      std::fprintf(stderr, "digit-reader: observe: %s\n", message);
    }
  }

  void show(std::uint64_t frame, std::uint8_t label, const hone_result& answer) {
    char line[200];
    const std::string said = label == kNoUserLabel ? "null" : std::to_string(label);
    const std::string seen = answer.label == HONE_NO_LABEL ? "null" : std::to_string(answer.label);
    std::snprintf(line, sizeof line, "{\"frame\":%llu,\"label\":%s,\"digit\":%s,\"release\":%llu,\"t_ms\":%lld}\n",
                  static_cast<unsigned long long>(frame), said.c_str(), seen.c_str(),
                  static_cast<unsigned long long>(answer.release),
                  static_cast<long long>(now_ns(CLOCK_REALTIME) / 1'000'000));
    print(line);
  }

  std::string status_line() const {
    hone_device_status s{};
    s.struct_size = sizeof s;
    hone_status(device_, &s);
    std::string line = "{\"status\":{";
    const auto text = [&](const char* key, std::string_view value) {
      line += std::string("\"") + key + "\":\"";
      for (const char c : value) {
        if (c == '"' || c == '\\') line += '\\';
        line += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
      }
      line += "\",";
    };
    const auto number = [&](const char* key, std::uint64_t value) {
      line += std::string("\"") + key + "\":" + std::to_string(value) + ",";
    };
    if (!options_.name.empty()) text("name", options_.name);
    text("device", s.device);
    text("state", hone_state_name(s.state));
    text("update", s.update);
    number("release", s.release);
    number("spooled", s.rows_spooled);
    number("durable", s.rows_durable);
    number("uploaded", s.rows_uploaded);
    number("uploaded_bytes", s.bytes_uploaded);
    number("dropped", s.rows_dropped);
    number("skipped", s.rows_skipped);
    text("error", s.error);
    line.back() = '}';
    return line + "}\n";
  }

  // One write a line: lines of the two threads do not mix. Nobody listening is no reason to stop.
  static void print(std::string_view line) {
    while (!line.empty()) {
      const ssize_t written = write(STDOUT_FILENO, line.data(), line.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return;
      line.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  const Options options_;
  hone_device* const device_;
  Camera camera_;
  std::FILE* const trace_file_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<TraceRecord> trace_;  // guarded by mutex_: handed over, so that the look never waits for a disk
};

// ---- the command line

[[noreturn]] void wrong_usage(const std::string& why) {
  std::fprintf(
      stderr,
      "digit-reader: %s\n"
      "usage: digit-reader --state DIR --camera FILE|- [--ticket FILE] [--rate HZ] [--trace FILE] [--name N]\n",
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
    } else if (key == "--camera") {
      options.camera = value;
    } else if (key == "--trace") {
      options.trace = value;
    } else if (key == "--name") {
      options.name = value;
    } else if (key == "--rate") {
      char* end = nullptr;
      options.rate_hz = std::strtod(value.c_str(), &end);
      if (end == value.c_str() || *end || !(options.rate_hz >= 0.01 && options.rate_hz <= 100'000))
        wrong_usage("--rate must be a number of pictures a second");
    } else {
      wrong_usage("unknown option " + std::string(key));
    }
  }
  if (options.state.empty()) wrong_usage("--state is missing");
  if (options.camera.empty()) wrong_usage("--camera is missing");
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);

  // Signals go to the main thread, which waits for nothing else.
  signal(SIGPIPE, SIG_IGN);
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);

  const int camera =
      options.camera == "-" ? STDIN_FILENO : open(options.camera.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (camera < 0) {
    std::fprintf(stderr, "digit-reader: camera %s: %s\n", options.camera.c_str(), std::strerror(errno));
    return 1;
  }
  std::FILE* trace = nullptr;
  if (!options.trace.empty() && !(trace = std::fopen(options.trace.c_str(), "ab"))) {
    std::fprintf(stderr, "digit-reader: trace %s: %s\n", options.trace.c_str(), std::strerror(errno));
    return 1;
  }

  hone_options hone = HONE_OPTIONS_INIT;
  hone.state_folder = options.state.c_str();
  if (!options.ticket.empty()) hone.ticket_file = options.ticket.c_str();
  hone_device* device = nullptr;
  char message[HONE_MESSAGE_BYTES];
  if (hone_open(&hone, &device, message, sizeof message) != HONE_OK) {
    std::fprintf(stderr, "digit-reader: %s\n", message);
    return 1;
  }

  Application application(options, device, camera, trace);
  std::thread stepping(&Application::step, &application);
  std::thread looking(&Application::look, &application);
  int which = 0;
  sigwait(&ending, &which);
  application.stop();
  looking.join();
  stepping.join();
  application.write_trace();
  if (trace) std::fclose(trace);
  hone_close(device);
  return 0;
}
