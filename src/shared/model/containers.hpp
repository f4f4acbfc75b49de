// The container parsers behind find_tensors. Each takes outside bytes, adds what it finds and
// returns whether the file is of its kind.
#pragma once

#include <vector>

#include "shared/model/tensors.hpp"

namespace hone::model {

[[nodiscard]] bool find_onnx(ByteView file, std::vector<TensorExtent>& tensors);
[[nodiscard]] bool find_safetensors(ByteView file, std::vector<TensorExtent>& tensors);
[[nodiscard]] bool find_tflite(ByteView file, std::vector<TensorExtent>& tensors);
[[nodiscard]] bool find_npy(ByteView file, std::vector<TensorExtent>& tensors);
// PyTorch's zip archives and NumPy's; says which.
[[nodiscard]] bool find_zip(ByteView file, std::vector<TensorExtent>& tensors, Container& container);
[[nodiscard]] bool find_pytorch_legacy(ByteView file, std::vector<TensorExtent>& tensors);

}  // namespace hone::model
