#include "trainer/kmeans/features.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/matmul.h>

#include <vector>

#include "trainer/kmeans/spectrum.hpp"
#include "trainer/robust_scale.hpp"
#include "trainer/row_tensors.hpp"

namespace hone::trainer {
namespace {

at::Tensor borrowed(const std::vector<float>& values) {
  return at::from_blob(const_cast<float*>(values.data()), {static_cast<std::int64_t>(values.size())});
}

}  // namespace

at::Tensor raw_features(const Rows& rows, const WindowCut& cut, bool spectrum, at::Device device) {
  at::Tensor x = samples_tensor(rows, device).to(at::kFloat).mul(static_cast<float>(rows.signal.scale));
  if (cut.count > 1 || cut.window < x.size(-1)) {
    x = x.unfold(-1, cut.window, cut.stride);  // [rows, (channels,) count, window]
    if (x.dim() == 4) x = x.transpose(1, 2);
    x = x.flatten(0, 1);
  }
  if (!spectrum) return x.flatten(1);
  const Spectrum s = spectrum_of(cut.window);
  const at::Tensor cosines = borrowed(s.cosines).view({s.window, s.bins}).to(device);
  const at::Tensor sines = borrowed(s.sines).view({s.window, s.bins}).to(device);
  return (at::matmul(x, cosines).square() + at::matmul(x, sines).square()).sqrt().flatten(1);
}

void learn_scale(const at::Tensor& raw, ClusterModel& model) {
  const RobustScale scale = robust_scale(raw);
  model.center = floats_of(scale.center);
  model.inverse_spread = floats_of(scale.inverse_spread);
}

at::Tensor scaled(const at::Tensor& raw, const ClusterModel& model) {
  const at::Tensor center = borrowed(model.center).to(raw.device());
  const at::Tensor inverse = borrowed(model.inverse_spread).to(raw.device());
  return ((raw - center) * inverse).clamp(-model.clip, model.clip);
}

}  // namespace hone::trainer
