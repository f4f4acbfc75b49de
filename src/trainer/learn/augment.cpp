#include "trainer/learn/augment.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/affine_grid_generator.h>
#include <ATen/ops/grid_sampler.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/stack.h>

namespace hone::trainer {
namespace {

constexpr double kRadiansPerDegree = 3.14159265358979323846 / 180;
constexpr std::int64_t kBilinear = 0, kRepeatEdge = 1;  // as grid_sampler numbers them

// [n] whole numbers from -most to most, times `step`.
at::Tensor drawn_shifts(std::int64_t n, std::int64_t most, double step) {
  return at::randint(-most, most + 1, {n}, at::kFloat).mul_(step);
}

}  // namespace

at::Tensor augmented(const at::Tensor& images, const AugmentRules& rules) {
  const std::int64_t n = images.size(0);
  const auto height = static_cast<double>(images.size(2)), width = static_cast<double>(images.size(3));
  const at::Tensor angle = at::rand({n}).mul_(2).sub_(1).mul_(rules.rotate * kRadiansPerDegree);
  // The grid counts from -1 to 1 along either side, so that a pixel is 2 / side.
  const at::Tensor right = drawn_shifts(n, rules.shift, 2 / width), down = drawn_shifts(n, rules.shift, 2 / height);
  const at::Tensor cosine = angle.cos(), sine = angle.sin();
  const at::Tensor from =  // where each pixel comes from
      at::stack({cosine, sine * (-height / width), right, sine * (width / height), cosine, down}, 1).view({n, 2, 3});
  const at::Tensor grid =
      at::affine_grid_generator(from.to(images.device()), images.sizes(), /*align_corners=*/false);
  return at::grid_sampler(images.to(at::kFloat), grid, kBilinear, kRepeatEdge, /*align_corners=*/false);
}

}  // namespace hone::trainer
