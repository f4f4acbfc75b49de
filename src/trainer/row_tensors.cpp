#include "trainer/row_tensors.hpp"

#include <torch/cuda.h>

namespace hone::trainer {
namespace {

torch::ScalarType scalar_type(wire::DType dtype) {
  switch (dtype) {
    case wire::DType::uint8: return torch::kUInt8;
    case wire::DType::int8: return torch::kInt8;
    case wire::DType::int16: return torch::kInt16;
    case wire::DType::int32: return torch::kInt32;
    case wire::DType::float32: return torch::kFloat32;
  }
  return torch::kFloat32;
}

}  // namespace

torch::Device best_device() {
  return torch::cuda::is_available() ? torch::kCUDA : torch::kCPU;
}

torch::Tensor samples_tensor(const Rows& rows, torch::Device device) {
  std::vector<std::int64_t> shape{static_cast<std::int64_t>(rows.rows())};
  shape.insert(shape.end(), rows.signal.shape.begin(), rows.signal.shape.end());
  auto* x = const_cast<std::uint8_t*>(rows.x.data());  // from_blob takes no pointer to const
  return torch::from_blob(x, shape, scalar_type(rows.signal.dtype)).to(device);
}

torch::Tensor labels_tensor(const Rows& rows, torch::Device device) {
  auto* y = const_cast<std::int64_t*>(rows.y.data());
  return torch::from_blob(y, {static_cast<std::int64_t>(rows.rows())}, torch::kInt64).to(device);
}

std::vector<float> floats_of(const torch::Tensor& values) {
  const torch::Tensor host = values.to(torch::kCPU, torch::kFloat32).contiguous();
  return {host.data_ptr<float>(), host.data_ptr<float>() + host.numel()};
}

}  // namespace hone::trainer
