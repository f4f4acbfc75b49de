// Judges a model that has just gone live: confirmed, or back to the one before. A pure function over
// what was counted; a boot in the middle of the trial counts, so that a model that brings its device
// down is given up.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.hpp"

namespace hone::edge {

struct TrialRules {
  std::uint64_t inferences = 50;             // error-free answers that prove it
  Duration time = std::chrono::seconds(60);  // ... or this long without an error
  int boots_max = 3;                         // starts of the device during the trial
};

struct TrialFacts {
  std::uint64_t inferences = 0;  // answered, since it went live or since the boot
  std::uint64_t errors = 0;
  Duration live_for{0};
  int boots = 0;
};

enum class Judgement : std::uint8_t { wait, confirm, revert };

struct TrialVerdict {
  Judgement judgement = Judgement::wait;
  std::string reason;  // of a revert
};

// One error is enough: the inputs were checked against the signal, so a model that fails on one is
// not the model that the gate measured.
[[nodiscard]] TrialVerdict judge(const TrialRules& rules, const TrialFacts& facts);

}  // namespace hone::edge
