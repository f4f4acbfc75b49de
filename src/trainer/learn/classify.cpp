#include "trainer/learn/classify.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>

#include <algorithm>
#include <cmath>

namespace hone::trainer {
namespace {

constexpr std::int64_t kValidationBatchRows = 512;

}  // namespace

at::Tensor Classify::loss(const Network& network, const at::Tensor& pick) const {
  const at::Tensor scores = network.forward(data_.x.index_select(0, pick), true);
  return at::cross_entropy_loss(scores, data_.y.index_select(0, pick));
}

Validation Classify::validate(const Network& network) const {
  const at::NoGradGuard no_gradient;
  const at::Tensor& rows = data_.validation;
  const auto count = static_cast<double>(rows.size(0));
  std::int64_t right = 0;
  for (std::int64_t at = 0; at < rows.size(0); at += kValidationBatchRows) {
    const at::Tensor pick = rows.slice(0, at, std::min(at + kValidationBatchRows, rows.size(0)));
    const at::Tensor scores = network.forward(data_.x.index_select(0, pick), false);
    right += scores.argmax(1).eq(data_.y.index_select(0, pick)).sum().item<std::int64_t>();
  }
  const double accuracy = static_cast<double>(right) / count;
  return {accuracy, std::sqrt(accuracy * (1 - accuracy) / count)};
}

}  // namespace hone::trainer
