#include "trainer/kmeans/features.hpp"

#include <ATen/ATen.h>

#include <vector>

#include "trainer/kmeans/spectrum.hpp"
#include "trainer/robust_scale.hpp"
#include "trainer/row_tensors.hpp"

namespace hone::trainer {
namespace {

torch::Tensor borrowed(const std::vector<float>& values) {
  return torch::from_blob(const_cast<float*>(values.data()), {static_cast<std::int64_t>(values.size())});
}

}  // namespace

torch::Tensor raw_features(const Rows& rows, bool spectrum, torch::Device device) {
  torch::Tensor x = samples_tensor(rows, device).to(torch::kFloat32).mul(static_cast<float>(rows.signal.scale));
  if (!spectrum) return x.flatten(1);
  const Spectrum s = spectrum_of(rows.signal.shape.back());
  const torch::Tensor cosines = borrowed(s.cosines).view({s.window, s.bins}).to(device);
  const torch::Tensor sines = borrowed(s.sines).view({s.window, s.bins}).to(device);
  return (at::matmul(x, cosines).square() + at::matmul(x, sines).square()).sqrt().flatten(1);
}

void learn_scale(const torch::Tensor& raw, ClusterModel& model) {
  const RobustScale scale = robust_scale(raw);
  model.center = floats_of(scale.center);
  model.inverse_spread = floats_of(scale.inverse_spread);
}

torch::Tensor scaled(const torch::Tensor& raw, const ClusterModel& model) {
  const torch::Tensor center = borrowed(model.center).to(raw.device());
  const torch::Tensor inverse = borrowed(model.inverse_spread).to(raw.device());
  return ((raw - center) * inverse).clamp(-model.clip, model.clip);
}

}  // namespace hone::trainer
