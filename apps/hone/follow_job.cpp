#include "follow_job.hpp"

#include <unistd.h>

#include <cstdio>
#include <utility>
#include <vector>

#include "screen.hpp"
#include "signal_file.hpp"
#include "table.hpp"
#include "training_view.hpp"

namespace hone::app {
namespace {

constexpr Duration kLookEvery = std::chrono::milliseconds(500);
constexpr std::size_t kChartRows = 8;

std::string state_in_words(const Json& job) {
  const std::string state = text_of(job.at("state"));
  if (state == "leased") return "training on " + text_of(job.value("trainer", Json()));
  if (state == "completed") return "trained, at the gate";
  return state;
}

class JobView {
 public:
  explicit JobView(Shown shown) : shown_(shown), screen_(STDERR_FILENO) {}

  void show(const Json& job) {
    if (screen_.is_terminal()) {
      const std::size_t rows = shown_ == Shown::curve ? kChartRows : 0;
      screen_.draw(training_lines(text_of(job.at("id")), state_in_words(job), job.at("points"), screen_.columns() - 1, rows, screen_.glyphs()));
    } else if (shown_ == Shown::curve) {
      print_news(job);
    }
  }

 private:
  // One line a change of state, and one an epoch.
  void print_news(const Json& job) {
    const std::string state = state_in_words(job);
    const Json& points = job.at("points");
    const Json epoch = points.empty() || job.at("state") != "leased" ? Json() : points.back().at("epoch");
    if (state == state_ && epoch == epoch_) return;
    const Json latest = epoch.is_null() ? Json::array() : Json::array({points.back()});
    for (const std::string& line : training_lines(text_of(job.at("id")), state, latest, 100, 0, {})) std::fprintf(stderr, "%s\n", line.c_str());
    state_ = state;
    epoch_ = epoch;
  }

  const Shown shown_;
  Screen screen_;
  std::string state_;
  Json epoch_;
};

}  // namespace

Result<Json> follow_job(Server& server, const std::string& id, Shown shown) {
  SignalFile signals;
  JobView view(shown);
  for (;;) {
    HONE_TRY(Json job, server.get("/v1/jobs/" + id));
    HONE_TRY(const std::string state, get_string(job, "state"));
    view.show(job);
    if (!job.value("verdict", Json()).is_null()) return job;
    if (state == "failed" || state == "cancelled")
      return fail(Code::unavailable, id + " " + state + ": " + text_of(job.value("failure", Json())));
    if (signals.wait(kLookEvery)) {
      job["left"] = true;
      return job;
    }
  }
}

}  // namespace hone::app
