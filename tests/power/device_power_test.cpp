// The device's whole life with the power cut at every operation of its disk: it joins, sends, goes
// live, takes a delta. After each cut it boots the old model or the new one, whole, no durable sample
// is lost or stored twice, and the story goes on to its end.
#include <gtest/gtest.h>

#include "device_rig.hpp"

namespace hone::testing {
namespace {

using namespace std::chrono_literals;
using wire::OutcomeKind;

constexpr std::uint8_t kSamples = 12;

class Life {
 public:
  explicit Life(std::uint64_t seed) : rig(seed) { rig.options.ticket = rig.cloud.ticket(); }

  DeviceRig rig;
  const Bytes one = toy_model(1), two = toy_model(2);
  std::set<std::uint8_t> durable;
  std::uint64_t live_before_cut = 0;

  // Until the second release is confirmed and the spool is empty; false when the power went.
  bool live() {
    for (int tick = 0; tick < 3000; ++tick) {
      if (!powered()) return false;
      if (!rig.agent) {
        if (auto opened = rig.open(); !opened) {
          if (powered()) ADD_FAILURE() << "the device does not boot: " << opened.error().context;
          return false;
        }
        check_model();
      }
      if (next_sample_ < kSamples) {
        const Bytes sample{next_sample_, 9, 9, 9};
        if (rig.agent->observe({sample, next_sample_ % 3, rig.now})) appended_.insert(next_sample_++);
        if (rig.agent->sync()) durable = appended_;
      }
      (void)rig.infer({1, 2, 3, 4});
      rig.now += std::max(rig.agent->step(rig.now), Duration(20));
      live_before_cut = std::max(live_before_cut, rig.agent->status().release.value);
      EXPECT_LE(rig.agent->status().models_in_memory, 2);
      cloud_acts();
      if (done()) return true;
    }
    ADD_FAILURE() << "the life does not go on: " << rig.agent->status().error << ", update "
                  << name_of(rig.agent->status().update);
    return true;
  }

  void reboot() {
    rig.agent.reset();
    rig.files.reboot(rig.random);
    appended_ = durable;  // what was only queued may be gone: it was never promised
  }

  // The device answers with a whole model, and with none that is older than what it had.
  void check_model() {
    const Bytes sample{5, 6, 7, 8};
    std::vector<float> scores(3);
    const auto answer = rig.agent->infer(sample, scores);
    if (live_before_cut == 0 && !answer) return;
    ASSERT_TRUE(answer) << "release " << live_before_cut << " answered before the cut: " << answer.error().context;
    EXPECT_GE(answer->release.value, live_before_cut);
    EXPECT_EQ(scores, toy_scores(answer->release.value == 1 ? one : two, sample));
  }

  void check_samples() {
    for (std::uint8_t id = 0; id < kSamples; ++id) {
      const auto stored = rig.cloud.samples.find(Bytes{id, 9, 9, 9});
      const int times = stored == rig.cloud.samples.end() ? 0 : stored->second;
      EXPECT_LE(times, 1) << int{id};
      EXPECT_GE(times, durable.contains(id) ? 1 : 0) << "durable sample " << int{id};
    }
  }

 private:
  bool powered() { return rig.files.exists("state").has_value(); }
  bool done() const {
    return next_sample_ == kSamples && rig.cloud.has_outcome(2, OutcomeKind::confirmed) &&
           rig.agent->status().spool.rows == 0;
  }
  void cloud_acts() {
    if (published_ == 0 && rig.cloud.samples.size() >= 4) {
      rig.cloud.publish({1, one}, rig.now);
      published_ = 1;
    } else if (published_ == 1 && rig.cloud.has_outcome(1, OutcomeKind::confirmed)) {
      rig.cloud.publish({2, two, one}, rig.now);
      published_ = 2;
    }
  }

  std::uint8_t next_sample_ = 0;
  std::set<std::uint8_t> appended_;
  int published_ = 0;
};

std::uint64_t operations_of_a_life() {
  Life life(1);
  EXPECT_TRUE(life.live());
  life.check_samples();
  EXPECT_EQ(life.durable.size(), kSamples);
  return life.rig.files.operations();
}

void cut_everywhere(std::uint64_t seed, std::uint64_t stride) {
  const std::uint64_t operations = operations_of_a_life();
  ASSERT_GT(operations, 100U);
  for (std::uint64_t cut = 1 + seed % stride; cut <= operations; cut += stride) {
    SCOPED_TRACE("cut at operation " + std::to_string(cut) + " of " + std::to_string(operations) + ", seed " +
                 std::to_string(seed));
    Life life(seed * 100'000 + cut);
    life.rig.files.cut_power_at(cut);
    // The random lot of a life decides how it goes, so a late cut may come after its end.
    if (!life.live()) {
      life.reboot();
      if (!life.live()) {
        ADD_FAILURE() << "no power after the reboot";
        return;
      }
    }
    life.check_samples();
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(DevicePower, BootsOldOrNewAndLosesNothingWhereverThePowerGoes) {
  cut_everywhere(1, 1);
}

TEST(DevicePower, TwoCutsInARowAreNoWorse) {
  const std::uint64_t operations = operations_of_a_life();
  for (std::uint64_t cut = 3; cut <= operations; cut += 7) {
    SCOPED_TRACE("cut at operation " + std::to_string(cut));
    Life life(cut);
    life.rig.files.cut_power_at(cut);
    if (life.live()) continue;
    life.reboot();
    life.rig.files.cut_power_at(1 + cut % 11);  // soon again: during the boot or what follows it
    if (!life.live()) {
      life.reboot();
      ASSERT_TRUE(life.live());
    }
    life.check_samples();
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace hone::testing
