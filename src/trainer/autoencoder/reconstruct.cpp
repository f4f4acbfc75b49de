#include "trainer/autoencoder/reconstruct.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace hone::trainer {
namespace {

constexpr std::int64_t kBatchRows = 4096;  // where nothing is learned

struct Passed {
  at::Tensor features;  // [n, elements], normalised and clipped
  at::Tensor decoded;   // [n, elements]
};

Passed pass(const Network& network, const at::Tensor& raw, bool training) {
  const at::Tensor features = network.input(raw).flatten(1);
  return {features, network.layers(features.clone(), training)};
}

at::Tensor errors(const Passed& passed) {  // [n]
  return (passed.features - passed.decoded).square().mean(1);
}

template <class Function>
at::Tensor for_all(const at::Tensor& rows, const Function& of) {
  std::vector<at::Tensor> parts;
  for (std::int64_t from = 0; from < rows.size(0); from += kBatchRows)
    parts.push_back(of(rows.slice(0, from, std::min(from + kBatchRows, rows.size(0)))));
  return at::cat(parts);
}

}  // namespace

at::Tensor Reconstruct::loss(const Network& network, const at::Tensor& pick) const {
  const at::Tensor missed = errors(pass(network, data_.x.index_select(0, pick), true));
  const std::int64_t rows = missed.size(0);
  const auto keep = std::max<std::int64_t>(1, std::llround((1 - trim_) * static_cast<double>(rows)));
  if (keep >= rows) return missed.mean();
  return std::get<0>(missed.topk(keep, 0, /*largest=*/false, /*sorted=*/false)).mean();
}

Validation Reconstruct::validate(const Network& network) const {
  const at::NoGradGuard no_gradient;
  const at::Tensor explained = for_all(data_.validation, [&](const at::Tensor& pick) {
    const at::Tensor raw = data_.x.index_select(0, pick);
    const at::Tensor given = network.to_signal_units(pass(network, raw, false).decoded);
    return 1 - ((network.signal_units(raw).flatten(1) - given) * ruler_).square().mean(1);
  }).clamp_min(-1).to(at::kDouble);
  const auto rows = static_cast<double>(explained.size(0));
  return {explained.mean().item<double>(), explained.std(/*unbiased=*/false).item<double>() / std::sqrt(rows)};
}

at::Tensor anomaly_scores(const Network& network, const at::Tensor& raw) {
  const at::NoGradGuard no_gradient;
  return for_all(raw, [&](const at::Tensor& some) { return errors(pass(network, some, false)).sqrt(); });
}

}  // namespace hone::trainer
