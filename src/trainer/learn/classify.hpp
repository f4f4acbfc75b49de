// Learning labels: cross-entropy, validated by accuracy. This header knows libtorch.
#pragma once

#include "trainer/learn/objective.hpp"
#include "trainer/learn/training_data.hpp"

namespace hone::trainer {

class Classify final : public Objective {
 public:
  explicit Classify(const TrainingData& data) : data_(data) {}  // borrowed

  [[nodiscard]] at::Tensor loss(const Network& network, const at::Tensor& pick) const override;
  [[nodiscard]] Validation validate(const Network& network) const override;

 private:
  const TrainingData& data_;
};

}  // namespace hone::trainer
