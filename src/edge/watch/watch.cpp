#include "edge/watch/watch.hpp"

namespace hone::edge {

TrialVerdict judge(const TrialRules& rules, const TrialFacts& facts) {
  if (facts.errors > 0) {
    return {Judgement::revert,
            std::to_string(facts.errors) + " failed inferences of " + std::to_string(facts.inferences + facts.errors)};
  }
  if (facts.boots > rules.boots_max) {
    return {Judgement::revert, "the device started " + std::to_string(facts.boots) + " times during the trial"};
  }
  if (facts.inferences >= rules.inferences || facts.live_for >= rules.time) return {Judgement::confirm, {}};
  return {};
}

}  // namespace hone::edge
