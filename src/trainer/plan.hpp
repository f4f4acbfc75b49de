// What `train.layers` means for one signal: every layer with the shapes around it, checked before
// anything is allocated. The network, the ONNX writer and the ONNX reader all follow this plan,
// so that they cannot disagree about a shape. Pure values, no libtorch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "shared/pipeline/pipeline.hpp"
#include "shared/wire/signal.hpp"
#include "trainer/input_scale.hpp"

namespace hone::trainer {

using Shape = std::vector<std::int64_t>;

struct PlannedLayer {
  Layer layer;
  std::string name;  // "layers.<i>", i being the place in `train.layers`
  Shape input;       // of one sample, no batch axis
  Shape output;
  bool flatten = false;  // dense behind a layer of rank > 1: the sample is flattened first
};

struct PlannedTensor {
  std::string name;
  Shape shape;
};

struct Plan {
  wire::Signal signal;
  std::vector<PlannedLayer> layers;
  std::int64_t width = 0;  // of an output row: the number of labels, or of elements of a sample
  std::optional<InputScale> input_scale;  // before the first layer; set by the recipe once it is learned

  [[nodiscard]] std::vector<PlannedTensor> tensors() const;  // every weight and bias, in order
  [[nodiscard]] std::int64_t parameters() const;
  [[nodiscard]] std::int64_t multiplications() const;  // for one sample, forward
};

// `invalid` when there are no labels, or when the layers do not fit the signal (shapes_of).
[[nodiscard]] Result<Plan> plan_network(const wire::Signal& signal, const std::vector<Layer>& layers);

// Of a network that gives back its own input; labels do not matter.
[[nodiscard]] Result<Plan> plan_autoencoder(const wire::Signal& signal, const std::vector<Layer>& layers);

[[nodiscard]] std::int64_t product(const Shape& shape);

}  // namespace hone::trainer
