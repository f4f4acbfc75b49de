// The parameters of a network as plain values, between libtorch and the ONNX file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hone::trainer {

struct Tensor {
  std::string name;                 // "layers.0.weight": the same in libtorch and in the ONNX file
  std::vector<std::int64_t> shape;  // conv weight [out, in, kh, kw], dense weight [out, in], bias [out]
  std::vector<float> values;        // row-major, as many as the product of shape

  friend bool operator==(const Tensor&, const Tensor&) = default;
};

using Weights = std::vector<Tensor>;  // in the order of the layers, weight before bias

}  // namespace hone::trainer
