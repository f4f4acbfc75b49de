#include "local_train.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/posix/child_process.hpp"
#include "programs.hpp"
#include "screen.hpp"
#include "table.hpp"
#include "training_view.hpp"

namespace hone::app {
namespace {

constexpr std::size_t kLineBytesMax = std::size_t{4} << 20;
// Shown; of a longer training every second one is forgotten, again and again. Even, so that the latest stays.
constexpr std::size_t kPointsMax = 4096;
constexpr std::size_t kChartRows = 6;
constexpr Duration kEndWithin = std::chrono::seconds(10);

// The reading end of a pipe whose writing end a child has.
class Pipe {
 public:
  [[nodiscard]] static Result<Pipe> make() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(Code::unavailable, "cannot make a pipe");
    return Pipe(ends[0], ends[1]);
  }
  Pipe(Pipe&& other) noexcept : read_(std::exchange(other.read_, -1)), write_(std::exchange(other.write_, -1)) {}
  ~Pipe() {
    close_writing();
    if (read_ >= 0) ::close(read_);
  }
  [[nodiscard]] int writing() const { return write_; }
  void close_writing() {
    if (write_ >= 0) ::close(std::exchange(write_, -1));
  }
  // Every line until the end; a longer one is dropped.
  void each_line(const std::function<void(std::string_view)>& use) {
    std::string line;
    std::array<char, 4096> buffer{};
    for (;;) {
      const ssize_t n = ::read(read_, buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return;
      for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(n))) {
        if (c != '\n') {
          if (line.size() < kLineBytesMax) line += c;
          continue;
        }
        use(line);
        line.clear();
      }
    }
  }

 private:
  Pipe(int read, int write) : read_(read), write_(write) {}
  int read_, write_;
};

Code code_named(const std::string& name) {
  for (const Code code : {Code::not_found, Code::unavailable, Code::no_space, Code::cancelled, Code::damaged})
    if (name == name_of(code)) return code;
  return Code::invalid;
}

// What the trainer's lines come to.
class Progress {
 public:
  explicit Progress(std::string name) : name_(std::move(name)), screen_(STDERR_FILENO) {}

  void take(std::string_view line) {
    auto json = parse_json(as_bytes(line));
    if (!json || !json->is_object()) return;
    if (json->contains("done")) training_ = std::move((*json)["done"]);
    else if (json->contains("error")) error_ = Error(code_named(text_of(json->value("code", Json()))), text_of((*json)["error"]));
    else show(std::move(*json));
  }
  [[nodiscard]] const std::optional<Json>& training() const { return training_; }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  void end() { screen_.clear(); }

 private:
  void show(Json point) {
    if (!screen_.is_terminal()) return;
    points_.push_back(std::move(point));
    if (points_.size() > kPointsMax) {
      Json kept = Json::array();
      for (std::size_t i = 0; i < points_.size(); i += 2) kept.push_back(std::move(points_[i]));
      points_ = std::move(kept);
    }
    screen_.draw(training_lines(name_, "training", points_, screen_.columns() - 1, kChartRows, screen_.glyphs()));
  }

  const std::string name_;
  Screen screen_;
  Json points_ = Json::array();
  std::optional<Json> training_;
  std::optional<Error> error_;
};

std::vector<std::string> command(const std::string& trainer, const LocalTrainOptions& options) {
  std::vector<std::string> argv{trainer, "--local", options.pipeline, "--data", options.data, "--out", options.out,
                                "--seed", std::to_string(options.seed), "--log-level", "error"};
  if (!options.base.empty()) argv.insert(argv.end(), {"--base", options.base});
  if (!options.label_column.empty()) argv.insert(argv.end(), {"--label-column", options.label_column});
  if (!options.commands.empty()) argv.insert(argv.end(), {"--commands", options.commands});
  return argv;
}

}  // namespace

Result<Json> train_locally(const LocalTrainOptions& options) {
  HONE_TRY(const std::string trainer, program("hone-trainer", "build it with 'make build', or train on a server"));
  HONE_TRY(Pipe pipe, Pipe::make());
  platform::ChildSetup setup;
  setup.output_fd = pipe.writing();
  HONE_TRY(const auto child, platform::ChildProcess::start(command(trainer, options), setup));
  pipe.close_writing();
  Progress progress(options.pipeline);
  pipe.each_line([&](std::string_view line) { progress.take(line); });
  progress.end();
  const auto status = child->wait(kEndWithin);
  if (progress.error()) return fail(*progress.error());
  if (progress.training() && status == 0) return *progress.training();
  return fail(Code::unavailable, "hone-trainer ended with status " + (status ? std::to_string(*status) : "unknown") + " and no model");
}

void print_local_training(const Json& training) {
  const Json& model = training.at("model");
  const Json& metric = training.at("validation_metric");
  std::array<char, 32> figure{"-"};
  if (metric.is_number()) std::snprintf(figure.data(), figure.size(), "%.4f", metric.get<double>());
  std::printf("%s: %s, validation %s after %s on %s rows, seed %s\n", text_of(model.at("file")).c_str(),
              bytes_in_words(model.at("bytes")).c_str(), figure.data(),
              duration_in_words(Duration(static_cast<std::int64_t>(training.at("seconds_train").get<double>() * 1000))).c_str(),
              with_commas(training.at("lineage").at("rows")).c_str(), training.at("seed").dump().c_str());
  if (training.at("lineage").contains("validated_on_fitted_rows"))
    std::printf("The rows are too few to keep some apart: the validation figure is of rows that were fitted.\n");
  for (const std::string& line : curves(training.at("curve"), 78, kChartRows, glyphs_of_locale())) std::printf("%s\n", line.c_str());
}

}  // namespace hone::app
