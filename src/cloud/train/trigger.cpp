#include "cloud/train/trigger.hpp"

#include <algorithm>

namespace hone::cloud {
namespace {

TriggerAnswer train_because(std::string reason) {
  return {std::move(reason), 0, std::nullopt};
}

// Nothing is released yet: the first model, or another try with as many new samples.
TriggerAnswer first_model(const TrainRules& rules, const TriggerFacts& facts) {
  const std::int64_t wanted = rules.first_at_samples + (facts.last ? facts.last->samples : 0);
  if (facts.samples >= wanted) return train_because("first model: " + std::to_string(facts.samples) + " samples");
  return {std::nullopt, wanted - facts.samples, std::nullopt};
}

// What the rules ask for, the cooldown apart.
TriggerAnswer next_model(const TrainRules& rules, const TriggerFacts& facts) {
  const auto& last = *facts.last;
  const std::int64_t fresh = facts.samples - last.samples;
  TriggerAnswer wait;
  if (rules.recipe_changed && facts.fingerprint != last.fingerprint) return train_because("the recipe changed");
  if (rules.new_samples) {
    if (fresh >= *rules.new_samples) return train_because(std::to_string(fresh) + " new samples");
    wait.samples_missing = *rules.new_samples - fresh;
  }
  if (rules.every) {
    const Time due = last.created + *rules.every;
    if (facts.now >= due && fresh > 0)
      return train_because("time: " + std::to_string(fresh) + " new samples since the last training");
    if (facts.now < due) wait.not_before = due;
  }
  return wait;
}

}  // namespace

TriggerAnswer next_training(const TrainRules& rules, const TriggerFacts& facts) {
  if (facts.busy) return {};
  if (facts.asked) return train_because(*facts.asked);
  if (!facts.last) return first_model(rules, facts);

  TriggerAnswer answer = next_model(rules, facts);
  if (!answer.reason && !facts.has_model) answer = first_model(rules, facts);
  const Time cool = facts.last->ended + rules.cooldown;
  if (answer.reason && facts.now < cool) return {std::nullopt, 0, cool};
  return answer;
}

}  // namespace hone::cloud
