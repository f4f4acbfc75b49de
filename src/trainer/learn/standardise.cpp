#include "trainer/learn/standardise.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/where.h>

#include <algorithm>

#include "trainer/learn/training_data.hpp"
#include "trainer/libtorch_wall.hpp"
#include "trainer/row_tensors.hpp"

namespace hone::trainer {
namespace {

constexpr std::int64_t kBlockRows = 4096;  // as doubles at one time
constexpr double kSpreadMin = 1e-30;       // its reciprocal is a float

bool sees_images(const Plan& plan) {
  return std::any_of(plan.layers.begin(), plan.layers.end(), [](const PlannedLayer& planned) {
    return planned.layer.kind == Layer::Kind::conv || planned.layer.kind == Layer::Kind::maxpool;
  });
}

template <class Function>
at::Tensor sum_over(const TrainingData& data, const std::vector<std::int64_t>& axes, const Function& of) {
  at::Tensor sum;
  for (std::int64_t from = 0; from < data.fit.size(0); from += kBlockRows) {
    const at::Tensor pick = data.fit.slice(0, from, std::min(from + kBlockRows, data.fit.size(0)));
    const at::Tensor part = of(data.x.index_select(0, pick).to(at::kDouble)).sum(axes, true);
    sum = sum.defined() ? sum + part : part;
  }
  return sum;
}

InputScale standardise_unguarded(const Plan& plan, const Rows& rows) {
  const at::NoGradGuard no_gradient;
  const TrainingData data = training_data(rows, at::kCPU);
  const bool images = sees_images(plan);
  const std::vector<std::int64_t> axes = images ? std::vector<std::int64_t>{0, 2, 3} : std::vector<std::int64_t>{0};
  const double scale = static_cast<float>(plan.signal.scale);
  auto count = static_cast<double>(data.fit.size(0));
  if (images) count *= static_cast<double>(plan.signal.shape[1] * plan.signal.shape[2]);

  const at::Tensor mean = sum_over(data, axes, [&](const at::Tensor& x) { return x * scale; }) / count;
  const at::Tensor spread =
      (sum_over(data, axes, [&](const at::Tensor& x) { return (x * scale - mean).square(); }) / count).sqrt();
  InputScale result;
  result.shape = plan.signal.shape;
  if (images) result.shape = {plan.signal.shape[0], 1, 1};
  result.center = floats_of(mean);
  result.inverse_spread = floats_of(at::where(spread.gt(kSpreadMin), spread, at::ones_like(spread)).reciprocal());
  result.clip = kStandardClip;
  return result;
}

}  // namespace

Result<InputScale> standardise(const Plan& plan, const Rows& rows) {
  return behind_wall([&]() -> Result<InputScale> { return standardise_unguarded(plan, rows); });
}

}  // namespace hone::trainer
