#include "trainer/network.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <cstring>
#include <string>

#include "trainer/row_tensors.hpp"

namespace hone::trainer {
namespace {

// Pools and dropout between a layer and its relu leave the argument for He's gain as it is.
bool relu_follows(const Plan& plan, std::size_t i) {
  for (std::size_t k = i + 1; k < plan.layers.size(); ++k) {
    const Layer::Kind kind = plan.layers[k].layer.kind;
    if (kind == Layer::Kind::relu) return true;
    if (kind == Layer::Kind::conv || kind == Layer::Kind::dense) return false;
  }
  return false;
}

at::Tensor initial(const Shape& shape, double gain) {
  const auto fan_in = static_cast<double>(product(shape) / shape[0]);
  return at::randn(shape) * std::sqrt(gain / fan_in);
}

}  // namespace

Network::Network(const Plan& plan, at::Device device) : plan_(plan), layers_(plan.layers.size()) {
  const at::NoGradGuard no_gradient;
  if (plan.input_scale) {
    center_ = tensor_of(plan.input_scale->center, device).view(plan.input_scale->shape);
    inverse_spread_ = tensor_of(plan.input_scale->inverse_spread, device).view(plan.input_scale->shape);
  }
  const std::vector<PlannedTensor> planned = plan.tensors();
  std::size_t next = 0;
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    const Layer::Kind kind = plan.layers[i].layer.kind;
    if (kind != Layer::Kind::conv && kind != Layer::Kind::dense) continue;
    const at::Tensor weight = initial(planned[next++].shape, relu_follows(plan, i) ? 2.0 : 1.0);
    const at::Tensor bias = at::zeros(planned[next++].shape);
    layers_[i] = {weight.to(device).set_requires_grad(true), bias.to(device).set_requires_grad(true)};
    flat_.push_back(layers_[i].weight);
    flat_.push_back(layers_[i].bias);
  }
}

at::Tensor Network::forward(const at::Tensor& raw, bool training) const {
  return layers(input(raw), training);
}

// Channels last is what oneDNN's convolutions want on a CPU.
at::Tensor Network::signal_units(const at::Tensor& raw) const {
  const bool channels_last = raw.dim() == 4 && raw.is_cpu();
  at::Tensor x = raw.to(at::kFloat, /*non_blocking=*/false, /*copy=*/true,
                        channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
  return x.mul_(static_cast<float>(plan_.signal.scale));
}

at::Tensor Network::input(const at::Tensor& raw) const {
  at::Tensor x = signal_units(raw);
  if (!plan_.input_scale) return x;
  const float clip = plan_.input_scale->clip;
  return x.sub_(center_).mul_(inverse_spread_).clamp_(-clip, clip);
}

at::Tensor Network::to_signal_units(const at::Tensor& output) const {
  if (!plan_.input_scale) return output;
  return output.mul(inverse_spread_.flatten().reciprocal()).add(center_.flatten());
}

at::Tensor Network::layers(at::Tensor x, bool training) const {
  bool fresh = true;  // nothing that the gradient needs looks at x, so that relu may write over it
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const PlannedLayer& planned = plan_.layers[i];
    const LayerParameters& own = layers_[i];
    switch (planned.layer.kind) {
      case Layer::Kind::conv:
        x = at::conv2d(x, own.weight, own.bias, 1, {planned.layer.kernel_h / 2, planned.layer.kernel_w / 2});
        break;
      case Layer::Kind::maxpool: x = at::max_pool2d(x, {planned.layer.pool, planned.layer.pool}); break;
      case Layer::Kind::relu: {
        // The largest of the positive parts is the positive part of the largest: pooled first, relu has
        // a fraction of the values to look at, and the gradient is the same.
        if (i + 1 < layers_.size() && plan_.layers[i + 1].layer.kind == Layer::Kind::maxpool) {
          const std::int64_t pool = plan_.layers[++i].layer.pool;
          x = at::max_pool2d(x, {pool, pool}).relu_();
        } else {
          x = fresh ? x.relu_() : x.relu();
        }
        break;
      }
      case Layer::Kind::dropout: x = at::dropout(x, planned.layer.rate, training); break;
      case Layer::Kind::dense:
        if (planned.flatten) x = x.flatten(1);
        x = at::linear(x, own.weight, own.bias);
        break;
    }
    fresh = planned.layer.kind == Layer::Kind::conv || planned.layer.kind == Layer::Kind::dense;
  }
  return x;
}

std::vector<at::Tensor> Network::parameters() const {
  return flat_;
}

void Network::use(const std::vector<at::Tensor>& parameters) {
  flat_ = parameters;
  std::size_t next = 0;
  for (LayerParameters& own : layers_) {
    if (!own.weight.defined()) continue;
    own.weight = flat_[next++];
    own.bias = flat_[next++];
  }
}

Weights Network::weights() const {
  const std::vector<PlannedTensor> planned = plan_.tensors();
  Weights result;
  for (std::size_t i = 0; i < planned.size(); ++i) {
    const at::Tensor host = flat_[i].detach().to(at::kCPU, at::kFloat).contiguous();
    const float* first = host.data_ptr<float>();
    result.push_back({planned[i].name, planned[i].shape, {first, first + host.numel()}});
  }
  return result;
}

Result<> Network::load(const Weights& weights) {
  const std::vector<PlannedTensor> planned = plan_.tensors();
  if (weights.size() != planned.size())
    return fail(Code::wrong_base, "the base model has " + std::to_string(weights.size()) + " tensors, this recipe " +
                                      std::to_string(planned.size()));
  for (std::size_t i = 0; i < planned.size(); ++i) {
    if (weights[i].name != planned[i].name || weights[i].shape != planned[i].shape ||
        weights[i].values.size() != static_cast<std::size_t>(product(planned[i].shape)))
      return fail(Code::wrong_base, "the base model's tensor " + weights[i].name + " has another name or shape than " +
                                        planned[i].name + " of this recipe");
  }
  const at::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < planned.size(); ++i) {
    at::Tensor host = at::empty(planned[i].shape, at::kFloat);
    std::memcpy(host.data_ptr<float>(), weights[i].values.data(), weights[i].values.size() * sizeof(float));
    flat_[i].copy_(host);
  }
  return {};
}

}  // namespace hone::trainer
