#include <unistd.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "columns.hpp"
#include "commands.hpp"
#include "loop_events.hpp"
#include "loop_view.hpp"
#include "screen.hpp"
#include "shared/pipeline/toml_section.hpp"
#include "signal_file.hpp"

namespace hone::app {
namespace {

using Steady = std::chrono::steady_clock;

constexpr Duration kLookEvery = std::chrono::milliseconds(500);
constexpr std::size_t kEventsKept = 100;
constexpr double kRateSmoothing = 0.3;  // of the newest interval

struct WatchOptions {
  std::string duration;  // empty: until Ctrl-C
  bool once = false;
};

// Turns one answer after another into a screen, or into lines.
class Watch {
 public:
  explicit Watch(bool json) : json_(json), screen_(STDOUT_FILENO) {}

  void look(Server& server) {
    Result<Json> status = server.get("/v1/status");
    if (!status) return say_silence(status.error());
    silence_.clear();
    for (LoopEvent& event : loop_events(status_, *status)) tell(std::move(event));
    measure(*status);
    status_ = std::move(*status);
    if (!drawn()) return;
    load_points(server);
    screen_.draw(lines(screen_.columns() - 1, screen_.lines() - 1, screen_.glyphs()));
  }

  // The picture as it stands, for --once.
  void print() {
    if (json_) {
      std::printf("%s\n", status_.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
      return;
    }
    for (const std::string& line : lines(terminal_columns(STDOUT_FILENO) - 1, 1000, glyphs_of_locale())) std::printf("%s\n", line.c_str());
  }
  [[nodiscard]] bool has_looked() const { return !status_.is_null(); }
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
  [[nodiscard]] std::int64_t events() const { return told_; }
  void show_only(bool on) { quiet_ = on; }

 private:
  [[nodiscard]] bool drawn() const { return screen_.is_terminal() && !json_ && !quiet_; }

  void tell(LoopEvent event) {
    ++told_;
    if (json_) {
      std::printf("%s\n", to_json(event).dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
      std::fflush(stdout);
    } else if (!drawn()) {
      std::printf("%s\n", line_of(event).c_str());
      std::fflush(stdout);
    }
    events_.push_back(std::move(event));
    if (events_.size() > kEventsKept) events_.erase(events_.begin());
  }

  // A server that restarts comes back: said once.
  void say_silence(const Error& error) {
    failure_ = error;
    if (silence_ == error.context || status_.is_null()) return;
    silence_ = error.context;
    LoopEvent event{from_unix_ms(status_.value("now", std::int64_t{0})), "", "problem", error.context, {{"problem", error.context}}};
    tell(std::move(event));
    if (drawn()) screen_.draw(lines(screen_.columns() - 1, screen_.lines() - 1, screen_.glyphs()));
  }

  void measure(const Json& status) {
    const auto now = Steady::now();
    const std::int64_t rows = status.at("received").at("rows");
    if (rows_) {
      const double seconds = std::chrono::duration<double>(now - measured_).count();
      const double rate = seconds > 0 ? static_cast<double>(rows - *rows_) / seconds : 0;
      rate_ += kRateSmoothing * (rate - rate_);
    }
    rows_ = rows;
    measured_ = now;
  }

  // The curves of what is being trained. Without them the picture is only poorer.
  void load_points(Server& server) {
    points_ = Json::object();
    for (const Json& job : status_.at("jobs")) {
      if (job.at("state") != "leased") continue;
      const std::string id = job.at("id").get<std::string>();
      auto whole = server.get("/v1/jobs/" + id);
      if (whole && whole->contains("points")) points_[id] = std::move((*whole)["points"]);
    }
  }

  [[nodiscard]] std::vector<std::string> lines(std::size_t columns, std::size_t count, Glyphs glyphs) const {
    return loop_lines({status_, points_, rate_, events_}, columns, count, glyphs);
  }

  const bool json_;
  Screen screen_;
  bool quiet_ = false;
  Json status_, points_ = Json::object();
  std::vector<LoopEvent> events_;
  std::int64_t told_ = 0;
  std::string silence_;
  std::optional<Error> failure_;
  std::optional<std::int64_t> rows_;
  Steady::time_point measured_;
  double rate_ = 0;
};

Result<Json> watch(Context& context, const WatchOptions& options) {
  std::optional<Duration> patience;
  if (!options.duration.empty()) {
    const auto duration = parse_duration(options.duration);
    if (!duration) return fail(Code::invalid, "--for '" + options.duration + "' is no time; give it as 30s, 10m or 2h");
    patience = *duration;
  }
  HONE_TRY(Server server, Server::open(context));
  SignalFile signals;
  Watch sight(context.json);
  sight.show_only(options.once);
  sight.look(server);
  if (!sight.has_looked()) return fail(*sight.failure());
  if (options.once) {
    sight.print();
    return Json{{"events", 0}};
  }
  const auto began = Steady::now();
  while (!patience || Steady::now() - began < *patience) {
    if (signals.wait(kLookEvery)) break;
    sight.look(server);
  }
  return Json{{"events", sight.events()}};
}

}  // namespace

void add_watch_command(CLI::App& app, Context& context) {
  const auto options = std::make_shared<WatchOptions>();
  CLI::App* verb = app.add_subcommand("watch", "Follow the whole loop live: a picture on a terminal, else one line an event, until Ctrl-C");
  verb->add_option("--for", options->duration, "Stop by itself after so long, as 30s, 10m or 2h");
  verb->add_flag("--once", options->once, "Print the picture once");
  // What it has to say it has said as it went: only errors are left to report.
  verb->callback([&context, options] {
    if (const auto watched = guarded([&] { return watch(context, *options); }); !watched) report(context, watched, {});
  });
}

}  // namespace hone::app
