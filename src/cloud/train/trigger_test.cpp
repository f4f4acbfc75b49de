#include "cloud/train/trigger.hpp"

#include <gtest/gtest.h>

namespace hone::cloud {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

struct Case {
  const char* name;
  bool expect;
  std::int64_t samples = 0;
  std::optional<TriggerFacts::LastJob> last;
  bool has_model = false;
  bool busy = false;
  const char* asked = nullptr;
  Duration now = hours(100);
  const char* fingerprint = "f";
  std::int64_t missing = 0;
};

TrainRules rules() {
  TrainRules rules;
  rules.first_at_samples = 6000;
  rules.new_samples = 36000;
  rules.every = hours(24);
  rules.recipe_changed = true;
  rules.cooldown = minutes(10);
  return rules;
}

TriggerFacts::LastJob job(std::int64_t samples, Duration ended = hours(99)) {
  return {samples, "f", Time(ended - minutes(5)), Time(ended)};
}

TEST(Trigger, FollowsItsTable) {
  const Case cases[] = {
      {"too few for the first", false, 5999, {}, false, false, nullptr, hours(100), "f", 1},
      {"enough for the first", true, 6000, {}},
      {"first, but a job is at work", false, 6000, {}, false, true},
      {"new samples, one too few", false, 41999, job(6000), true, false, nullptr, hours(100), "f", 1},
      {"new samples reached", true, 42000, job(6000), true},
      {"new samples within the cooldown", false, 42000, job(6000, hours(100) - minutes(9)), true},
      {"new samples when the cooldown ends", true, 42000, job(6000, hours(100) - minutes(10)), true},
      {"recipe changed", true, 6000, job(6000), true, false, nullptr, hours(100), "g"},
      {"recipe changed within the cooldown", false, 6000, job(6000, hours(100)), true, false, nullptr, hours(100), "g"},
      {"time passed with new data", true, 6001, job(6000, hours(76)), true, false, nullptr, hours(100), "f"},
      {"time passed without new data", false, 6000, job(6000, hours(76)), true, false, nullptr, hours(100), "f", 36000},
      {"asked within the cooldown", true, 6000, job(6000, hours(100)), true, false, "by hand"},
      {"asked while busy", false, 6000, job(6000), true, true, "by hand"},
      {"no model came of the first: not the same data again", false, 6000, job(6000), false, false, nullptr, hours(100),
       "f", 6000},
      {"no model came of the first: as many again", true, 12000, job(6000), false},
  };
  for (const auto& c : cases) {
    TriggerFacts facts;
    facts.now = Time(c.now);
    facts.samples = c.samples;
    facts.fingerprint = c.fingerprint;
    facts.busy = c.busy;
    facts.has_model = c.has_model;
    if (c.asked != nullptr) facts.asked = c.asked;
    facts.last = c.last;
    const auto answer = next_training(rules(), facts);
    EXPECT_EQ(answer.reason.has_value(), c.expect) << c.name;
    if (!c.expect && c.missing > 0) {
      EXPECT_EQ(answer.samples_missing, c.missing) << c.name;
    }
  }
}

TEST(Trigger, SaysWhy) {
  TriggerFacts facts;
  facts.now = Time(hours(100));
  facts.samples = 42000;
  facts.fingerprint = "f";
  facts.has_model = true;
  facts.last = job(6000);
  EXPECT_EQ(next_training(rules(), facts).reason, "36000 new samples");
  facts.asked = "a new lens";
  EXPECT_EQ(next_training(rules(), facts).reason, "a new lens");
}

TEST(Trigger, SaysWhenTheCooldownEnds) {
  TriggerFacts facts;
  facts.now = Time(hours(100));
  facts.samples = 42000;
  facts.fingerprint = "f";
  facts.has_model = true;
  facts.last = job(6000, hours(100) - minutes(4));
  EXPECT_EQ(next_training(rules(), facts).not_before, Time(hours(100) + minutes(6)));
}

TEST(Trigger, LeavesOutRulesThatTheFileSwitchesOff) {
  TrainRules off = rules();
  off.new_samples.reset();
  off.every.reset();
  off.recipe_changed = false;
  TriggerFacts facts;
  facts.now = Time(hours(1000));
  facts.samples = 1000000;
  facts.fingerprint = "g";
  facts.has_model = true;
  facts.last = job(6000);
  EXPECT_FALSE(next_training(off, facts).reason.has_value());
}

}  // namespace
}  // namespace hone::cloud
