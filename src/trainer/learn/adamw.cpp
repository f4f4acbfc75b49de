#include "trainer/learn/adamw.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>

namespace hone::trainer {
namespace {

constexpr double kWeightDecay = 1e-2;
constexpr double kMeanDecay = 0.9, kSquareDecay = 0.999;
constexpr double kEpsilon = 1e-8;

}  // namespace

AdamW::AdamW(const std::vector<at::Tensor>& parameters) {
  const at::NoGradGuard no_gradient;
  std::int64_t count = 0;
  for (const at::Tensor& parameter : parameters) count += parameter.numel();
  values_ = at::empty({count}, parameters.front().options().requires_grad(false));
  gradients_ = at::zeros_like(values_);
  mean_ = at::zeros_like(values_);
  square_ = at::zeros_like(values_);
  scratch_ = at::empty_like(values_);
  std::int64_t from = 0;
  for (at::Tensor parameter : parameters) {
    const auto part = [&](const at::Tensor& all) {
      return all.narrow(0, from, parameter.numel()).view(parameter.sizes());
    };
    part(values_).copy_(parameter.detach());
    parameter.set_data(part(values_));
    parameter.mutable_grad() = part(gradients_);  // what backward() adds to
    from += parameter.numel();
  }
}

void AdamW::zero_gradients() {
  gradients_.zero_();
}

void AdamW::step(double learning_rate) {
  const at::NoGradGuard no_gradient;
  ++steps_;
  const auto steps = static_cast<double>(steps_);
  const double mean_bias = 1 - std::pow(kMeanDecay, steps);
  const double square_bias = std::sqrt(1 - std::pow(kSquareDecay, steps));
  values_.mul_(1 - learning_rate * kWeightDecay);
  mean_.lerp_(gradients_, 1 - kMeanDecay);
  square_.mul_(kSquareDecay).addcmul_(gradients_, gradients_, 1 - kSquareDecay);
  at::sqrt_out(scratch_, square_).add_(kEpsilon * square_bias);
  values_.addcdiv_(mean_, scratch_, -learning_rate * square_bias / mean_bias);
}

}  // namespace hone::trainer
