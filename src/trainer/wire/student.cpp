#include "trainer/wire/student.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "shared/delta/format/float_add.hpp"

namespace hone::trainer::wire_training {
namespace {

constexpr double kFactorsFirst = 1.2;   // root mean square of the strongest component's factors, in integers
constexpr double kFactorMax = 127;      // one byte each on the device
constexpr double kStepsMax = 4095;

at::Tensor tensor_of(const Tensor& tensor, at::Device device) {
  at::Tensor host = at::empty(tensor.shape, at::kFloat);
  std::memcpy(host.data_ptr<float>(), tensor.values.data(), tensor.values.size() * sizeof(float));
  return host.to(device);
}

double root_mean_square(const at::Tensor& values) {
  return std::sqrt(values.square().mean().item<double>());
}

// The power of two nearest to a step; the free model need not have moved at all.
std::int32_t scale_of(double step) {
  constexpr double kStepMin = 1e-6;
  const auto scale = static_cast<std::int32_t>(std::lround(-std::log2(std::max(step, kStepMin))));
  return std::clamp(scale, delta::kScaleMin, delta::kScaleMax);
}

at::Tensor rounded(const at::Tensor& z) {
  return z + (z.detach().round() - z.detach());
}

at::Tensor integers(const at::Tensor& z, double dead_zone) {
  const at::Tensor whole = z.detach().round();
  return at::where(z.detach().abs() < dead_zone, at::zeros_like(whole), whole).to(at::kCPU, at::kInt).contiguous();
}

template <class Integer>
std::vector<Integer> values_of(const at::Tensor& whole) {
  const std::int32_t* first = whole.data_ptr<std::int32_t>();
  return {first, first + whole.numel()};
}

}  // namespace

Student::Student(const Weights& deployed, const Weights& free, const std::vector<Part>& parts, at::Device device) {
  const at::NoGradGuard no_gradient;
  for (std::size_t t = 0; t < parts.size(); ++t) {
    Own own{deployed[t].name, tensor_of(deployed[t], device), parts[t]};
    const at::Tensor move = tensor_of(free[t], device) - own.deployed;
    own.lattice_scale = scale_of(own.part.step * root_mean_square(move));
    own.product_scale = own.lattice_scale;
    if (own.part.rank > 0) begin_product(own, move);
    if (own.part.lattice) own.steps = add(at::zeros_like(own.deployed), 1 / own.part.step, false, false);
    tensors_.push_back(std::move(own));
  }
}

std::ptrdiff_t Student::add(at::Tensor z, double haste, bool by_row, bool by_column) {
  latents_.push_back({z.contiguous().clone().set_requires_grad(true), haste, by_row, by_column, {}, {}});
  return static_cast<std::ptrdiff_t>(latents_.size()) - 1;
}

// U S V in steps, cut to its strongest components. Both sides of a component get the same root mean square.
Student::Sides Student::sides_of(const at::Tensor& u, const at::Tensor& s, const at::Tensor& vt, std::int64_t rank,
                                 double step) {
  const auto rows = static_cast<double>(u.size(0));
  const auto columns = static_cast<double>(vt.size(1));
  const at::Tensor size = (s.slice(0, 0, rank) / (std::sqrt(rows * columns) * step)).sqrt();
  const at::Tensor left = u.slice(1, 0, rank) * std::sqrt(rows) * size;
  const at::Tensor right = vt.slice(0, 0, rank) * std::sqrt(columns) * size.unsqueeze(1);
  return {left.to(at::kFloat), right.to(at::kFloat)};
}

// The step is what gives the strongest component's factors the root mean square kFactorsFirst.
void Student::begin_product(Own& own, const at::Tensor& move) {
  const at::Tensor matrix = move.reshape({own.part.rows, own.part.columns}).to(at::kDouble);
  const auto [u, s, vt] = at::linalg_svd(matrix, /*full_matrices=*/false);
  const auto rank = std::min<std::int64_t>(own.part.rank, s.size(0));
  own.part.rank = static_cast<std::uint32_t>(rank);
  const double strongest = s[0].item<double>() / std::sqrt(static_cast<double>(matrix.numel()));
  own.product_scale = std::max(own.lattice_scale, scale_of(strongest / (kFactorsFirst * kFactorsFirst)));
  const Sides sides = sides_of(u, s, vt, rank, std::ldexp(1.0, -own.product_scale));
  own.u = add(sides.u, 1, false, true);
  own.v = add(sides.v, 1, true, false);
}

std::vector<at::Tensor> Student::weights() const {
  std::vector<at::Tensor> result;
  for (const Own& own : tensors_) {
    at::Tensor weight = own.deployed;
    if (own.u >= 0) {
      const at::Tensor product = at::mm(rounded(latents_[own.u].z), rounded(latents_[own.v].z));
      weight = weight + product.view(weight.sizes()) * std::ldexp(1.0, -own.product_scale);
    }
    if (own.steps >= 0) weight = weight + rounded(latents_[own.steps].z) * std::ldexp(1.0, -own.lattice_scale);
    result.push_back(weight);
  }
  return result;
}

std::vector<Student::Trained> Student::latents() const {
  std::vector<Trained> result;
  for (const Latent& latent : latents_) result.push_back({latent.z, latent.haste});
  return result;
}

double Student::count_bits() {
  const at::NoGradGuard no_gradient;
  double bits = 0;
  for (Latent& latent : latents_) {
    const at::Tensor grouped = latent.by_column ? latent.z.t() : latent.by_row ? latent.z : latent.z.view({1, -1});
    const at::Tensor size = grouped.round().abs();
    const at::Tensor nonzero = size.gt(0).sum(1).to(at::kCPU, at::kDouble).contiguous();
    const at::Tensor sum = size.sum(1).to(at::kCPU, at::kDouble).contiguous();
    std::vector<float> one;
    std::vector<float> more;
    for (std::int64_t g = 0; g < grouped.size(0); ++g) {
      const Group group{static_cast<double>(grouped.size(1)), nonzero.data_ptr<double>()[g], sum.data_ptr<double>()[g]};
      const Rate rate = rate_of(group);
      bits += rate.total(group);
      one.push_back(static_cast<float>(std::max(0.0, rate.one - rate.zero)));
      more.push_back(static_cast<float>(rate.more));
    }
    const auto across = [&](const std::vector<float>& values) {
      const at::Tensor slopes = at::tensor(values).to(latent.z.device());
      return latent.by_column ? slopes.unsqueeze(0) : latent.by_row ? slopes.unsqueeze(1) : slopes;
    };
    latent.one = across(one);
    latent.more = across(more);
  }
  return bits;
}

void Student::add_slope(double lambda) {
  const at::NoGradGuard no_gradient;
  for (Latent& latent : latents_) {
    const at::Tensor slope = at::where(latent.z.abs() < 1, latent.one, latent.more) * latent.z.sign();
    latent.z.mutable_grad().add_(slope, lambda);
  }
}

Update Student::update(double dead_zone) const {
  Update result;
  for (const Own& own : tensors_) {
    TensorUpdate change;
    change.tensor = own.name;
    change.scale = own.u >= 0 ? own.product_scale : own.lattice_scale;
    if (own.u >= 0) {
      change.rows = own.part.rows;
      change.columns = own.part.columns;
      change.rank = own.part.rank;
      change.u = values_of<std::int16_t>(integers(latents_[own.u].z.clamp(-kFactorMax, kFactorMax), dead_zone));
      change.v = values_of<std::int16_t>(integers(latents_[own.v].z.clamp(-kFactorMax, kFactorMax), dead_zone));
    }
    if (own.steps >= 0) {
      const at::Tensor whole = integers(latents_[own.steps].z.clamp(-kStepsMax, kStepsMax), dead_zone);
      change.steps = values_of<std::int32_t>(whole * (1 << (change.scale - own.lattice_scale)));
    }
    result.push_back(simplified(std::move(change)));
  }
  return result;
}

}  // namespace hone::trainer::wire_training
