// The network of a plan in libtorch. This header knows libtorch: few sources include it, because
// such a source takes longer to compile than the rest of the trainer.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "base/result.hpp"
#include "trainer/plan.hpp"
#include "trainer/weights.hpp"

namespace hone::trainer {

class Network {
 public:
  // Weights begin with He's normal initialisation (He et al. 2015, fan-in) where a relu follows,
  // with LeCun's where none does; biases with zero. They are drawn on the CPU from libtorch's
  // default generator (call at::manual_seed first), so that a seed gives the same start on
  // every device.
  Network(const Plan& plan, at::Device device);

  // `raw` is [n, ...signal.shape] of the signal's dtype, cast and scaled just as the graph in the
  // ONNX file does it. Returns scores [n, width]. `training` switches dropout on.
  [[nodiscard]] at::Tensor forward(const at::Tensor& raw, bool training) const;

  // The two halves of forward(): raw samples as the first layer gets them (a copy, float32), and all
  // layers over that, which is used up: it may be written over.
  [[nodiscard]] at::Tensor input(const at::Tensor& raw) const;
  [[nodiscard]] at::Tensor layers(at::Tensor x, bool training) const;

  // raw * scale, a copy in float32: what input() normalises, and what an autoencoder's output [n, elements]
  // means once the input scale is taken back from it, as in the ONNX file.
  [[nodiscard]] at::Tensor signal_units(const at::Tensor& raw) const;
  [[nodiscard]] at::Tensor to_signal_units(const at::Tensor& output) const;

  [[nodiscard]] std::vector<at::Tensor> parameters() const;  // in the order of plan.tensors()

  [[nodiscard]] Weights weights() const;  // copied to host memory
  // `wrong_base`, changing nothing, for weights of other names or shapes.
  [[nodiscard]] Result<> load(const Weights& weights);

  // Goes on with these, in the order and of the shapes of plan.tensors(), instead of its own: they may be
  // results of a computation that gradients flow back through.
  void use(const std::vector<at::Tensor>& parameters);

 private:
  struct LayerParameters {
    at::Tensor weight, bias;  // undefined where a layer has none
  };
  Plan plan_;
  at::Tensor center_, inverse_spread_;  // of plan_.input_scale, where there is one
  std::vector<LayerParameters> layers_;
  std::vector<at::Tensor> flat_;  // the same tensors as in layers_
};

}  // namespace hone::trainer
