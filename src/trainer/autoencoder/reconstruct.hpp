// Learning to give back what came in, from rows among which are anomalies: the worst reconstructed rows of a
// batch pull no weight (least trimmed squares, Rousseeuw 1984). This header knows libtorch.
#pragma once

#include <utility>

#include "trainer/learn/objective.hpp"
#include "trainer/learn/training_data.hpp"

namespace hone::trainer {

class Reconstruct final : public Objective {
 public:
  // `trim`: share of a batch. `ruler` [elements]: 1 / spread of each, in which the validation measures, so that
  // networks with other input scales are compared alike. Borrows `data`.
  Reconstruct(const TrainingData& data, double trim, at::Tensor ruler)
      : data_(data), trim_(trim), ruler_(std::move(ruler)) {}

  // Mean squared error of the rows that pull, in normalised and clipped values.
  [[nodiscard]] at::Tensor loss(const Network& network, const at::Tensor& pick) const override;
  // The explained share, as the gate's metric `reconstruction` has it: mean over the rows of
  // 1 - mean(((x - reconstruction) * ruler)^2), brought to at least -1.
  [[nodiscard]] Validation validate(const Network& network) const override;

 private:
  const TrainingData& data_;
  const double trim_;
  const at::Tensor ruler_;
};

// The anomaly score of each of `raw` [n, ...signal.shape], [n] float32: what the graph will say.
[[nodiscard]] at::Tensor anomaly_scores(const Network& network, const at::Tensor& raw);

}  // namespace hone::trainer
