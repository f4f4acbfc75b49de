#include "trainer/learn/classify.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones_like.h>

#include <algorithm>
#include <cmath>

#include "trainer/learn/augment.hpp"
#include "trainer/learn/class_weights.hpp"
#include "trainer/row_tensors.hpp"

namespace hone::trainer {
namespace {

constexpr std::int64_t kValidationBatchRows = 512;

}  // namespace

Classify::Classify(const TrainingData& data, const TrainRules& rules, std::int64_t labels)
    : data_(data), augment_(rules.augment) {
  if (!rules.balance) return;
  const at::Tensor fitted = data.y.index_select(0, data.fit).to(at::kCPU).contiguous();
  weights_ = tensor_of(class_weights({fitted.data_ptr<std::int64_t>(), static_cast<std::size_t>(fitted.numel())}, labels),
                       data.x.device());
}

at::Tensor Classify::loss(const Network& network, const at::Tensor& pick) const {
  at::Tensor x = data_.x.index_select(0, pick);
  if (augment_.shift > 0 || augment_.rotate > 0) x = augmented(x, augment_);
  const at::Tensor scores = network.forward(x, true);
  return at::cross_entropy_loss(scores, data_.y.index_select(0, pick), weights_);
}

// The standard error is that of a weighted mean of rights and wrongs.
Validation Classify::validate(const Network& network) const {
  const at::NoGradGuard no_gradient;
  const at::Tensor& rows = data_.validation;
  at::Tensor right = at::empty({rows.size(0)}, rows.options().dtype(at::kFloat));
  for (std::int64_t from = 0; from < rows.size(0); from += kValidationBatchRows) {
    const std::int64_t to = std::min(from + kValidationBatchRows, rows.size(0));
    const at::Tensor pick = rows.slice(0, from, to);
    const at::Tensor scores = network.forward(data_.x.index_select(0, pick), false);
    right.slice(0, from, to).copy_(scores.argmax(1).eq(data_.y.index_select(0, pick)));
  }
  const at::Tensor weight =
      weights_.defined() ? weights_.index_select(0, data_.y.index_select(0, rows)) : at::ones_like(right);
  const double total = weight.sum(at::kDouble).item<double>();
  const double accuracy = (right * weight).sum(at::kDouble).item<double>() / total;
  const double squares = weight.square().sum(at::kDouble).item<double>();
  return {accuracy, std::sqrt(accuracy * (1 - accuracy) * squares) / total};
}

}  // namespace hone::trainer
