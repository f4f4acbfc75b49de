#include "trainer/network.hpp"

#include <ATen/ATen.h>
#include <torch/utils.h>

#include <cmath>
#include <cstring>
#include <string>

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

torch::Tensor initial(const Shape& shape, double gain) {
  const auto fan_in = static_cast<double>(product(shape) / shape[0]);
  return torch::randn(shape) * std::sqrt(gain / fan_in);
}

}  // namespace

Network::Network(const Plan& plan, torch::Device device) : plan_(plan), layers_(plan.layers.size()) {
  const torch::NoGradGuard no_gradient;
  const std::vector<PlannedTensor> planned = plan.tensors();
  std::size_t next = 0;
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    const Layer::Kind kind = plan.layers[i].layer.kind;
    if (kind != Layer::Kind::conv && kind != Layer::Kind::dense) continue;
    const torch::Tensor weight = initial(planned[next++].shape, relu_follows(plan, i) ? 2.0 : 1.0);
    const torch::Tensor bias = torch::zeros(planned[next++].shape);
    layers_[i] = {weight.to(device).set_requires_grad(true), bias.to(device).set_requires_grad(true)};
    flat_.push_back(layers_[i].weight);
    flat_.push_back(layers_[i].bias);
  }
}

torch::Tensor Network::forward(const torch::Tensor& raw, bool training) const {
  torch::Tensor x = raw.to(torch::kFloat32).mul(static_cast<float>(plan_.signal.scale));
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const PlannedLayer& planned = plan_.layers[i];
    const LayerParameters& own = layers_[i];
    switch (planned.layer.kind) {
      case Layer::Kind::conv:
        x = at::conv2d(x, own.weight, own.bias, 1, {planned.layer.kernel_h / 2, planned.layer.kernel_w / 2});
        break;
      case Layer::Kind::maxpool: x = at::max_pool2d(x, {planned.layer.pool, planned.layer.pool}); break;
      case Layer::Kind::relu: x = at::relu(x); break;
      case Layer::Kind::dropout: x = at::dropout(x, planned.layer.rate, training); break;
      case Layer::Kind::dense:
        if (planned.flatten) x = x.flatten(1);
        x = at::linear(x, own.weight, own.bias);
        break;
    }
  }
  return x;
}

std::vector<torch::Tensor> Network::parameters() const {
  return flat_;
}

Weights Network::weights() const {
  const std::vector<PlannedTensor> planned = plan_.tensors();
  Weights result;
  for (std::size_t i = 0; i < planned.size(); ++i) {
    const torch::Tensor host = flat_[i].detach().to(torch::kCPU, torch::kFloat32).contiguous();
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
  const torch::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < planned.size(); ++i) {
    torch::Tensor host = torch::empty(planned[i].shape, torch::kFloat32);
    std::memcpy(host.data_ptr<float>(), weights[i].values.data(), weights[i].values.size() * sizeof(float));
    flat_[i].copy_(host);
  }
  return {};
}

}  // namespace hone::trainer
