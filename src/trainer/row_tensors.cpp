#include "trainer/row_tensors.hpp"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <torch/cuda.h>

namespace hone::trainer {
namespace {

at::ScalarType scalar_type(wire::DType dtype) {
  switch (dtype) {
    case wire::DType::uint8: return at::kByte;
    case wire::DType::int8: return at::kChar;
    case wire::DType::int16: return at::kShort;
    case wire::DType::int32: return at::kInt;
    case wire::DType::float32: return at::kFloat;
  }
  return at::kFloat;
}

}  // namespace

at::Device best_device() {
  return torch::cuda::is_available() ? at::kCUDA : at::kCPU;
}

at::Tensor samples_tensor(const Rows& rows, at::Device device) {
  std::vector<std::int64_t> shape{static_cast<std::int64_t>(rows.rows())};
  shape.insert(shape.end(), rows.signal.shape.begin(), rows.signal.shape.end());
  auto* x = const_cast<std::uint8_t*>(rows.x.data());  // from_blob takes no pointer to const
  return at::from_blob(x, shape, scalar_type(rows.signal.dtype)).to(device);
}

at::Tensor labels_tensor(const Rows& rows, at::Device device) {
  auto* y = const_cast<std::int64_t*>(rows.y.data());
  return at::from_blob(y, {static_cast<std::int64_t>(rows.rows())}, at::kLong).to(device);
}

at::Tensor indices_tensor(const std::vector<std::int64_t>& rows, at::Device device) {
  return at::tensor(rows, at::kLong).to(device);
}

at::Tensor tensor_of(const std::vector<float>& values, at::Device device) {
  return at::tensor(values, at::kFloat).to(device);
}

std::vector<float> floats_of(const at::Tensor& values) {
  const at::Tensor host = values.to(at::kCPU, at::kFloat).contiguous();
  return {host.data_ptr<float>(), host.data_ptr<float>() + host.numel()};
}

}  // namespace hone::trainer
