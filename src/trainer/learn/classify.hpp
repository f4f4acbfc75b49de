// Learning labels: cross-entropy, validated by accuracy; both weighted when rare labels are to weigh
// more, and on images that are moved when that is asked for. This header knows libtorch.
#pragma once

#include "shared/pipeline/pipeline.hpp"
#include "trainer/learn/objective.hpp"
#include "trainer/learn/training_data.hpp"

namespace hone::trainer {

class Classify final : public Objective {
 public:
  // `data` is borrowed; `labels` is the number of them.
  Classify(const TrainingData& data, const TrainRules& rules, std::int64_t labels);

  [[nodiscard]] at::Tensor loss(const Network& network, const at::Tensor& pick) const override;
  [[nodiscard]] Validation validate(const Network& network) const override;

 private:
  const TrainingData& data_;
  const AugmentRules augment_;
  at::Tensor weights_;  // [labels] float32, or undefined: all weigh the same
};

}  // namespace hone::trainer
