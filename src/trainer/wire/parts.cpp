#include "trainer/wire/parts.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "shared/delta/format/operations.hpp"

namespace hone::trainer::wire_training {
namespace {

constexpr double kLatticeBits = 1;       // for each element of a tensor that moves as it likes
constexpr double kLatticeShare = 0.4;    // of the budget, that one tensor may take so
constexpr double kFactorBits = 2;        // for each factor
constexpr double kProductShare = 0.8;    // of the budget, for all products

// Coarse where bits are few: large numbers, seldom, are cheaper than small ones everywhere, and steps half or
// twice as large cost accuracy at equal bytes. Where there are bits for every element, finer: a normal deviate in
// steps of d of its deviation has 2.05 - log2(d) bits.
constexpr double kStepCoarse = 1;
constexpr double kStepFine = 0.4;
constexpr double kRichBits = 2.5;  // for each element

double step_for(double bits_of_element) {
  return bits_of_element > kRichBits ? std::max(kStepFine, std::exp2(2 - bits_of_element)) : kStepCoarse;
}

Part as_matrix(const Shape& shape) {
  Part part;
  part.rows = static_cast<std::uint32_t>(shape[0]);
  part.columns = static_cast<std::uint32_t>(product(shape) / shape[0]);
  return part;
}

}  // namespace

std::vector<Part> parts_for(const Plan& plan, std::uint64_t bytes) {
  const double bits = static_cast<double>(bytes) * 8;
  const auto wants_product = [&](const PlannedTensor& tensor) {
    return tensor.shape.size() > 1 && static_cast<double>(product(tensor.shape)) * kLatticeBits > kLatticeShare * bits;
  };
  double elements = 0;  // of all that want a product
  double others = 0;
  for (const PlannedTensor& tensor : plan.tensors())
    (wants_product(tensor) ? elements : others) += static_cast<double>(product(tensor.shape));
  const double step = step_for((elements > 0 ? 1 - kProductShare : 1) * bits / std::max(1.0, others));

  std::vector<Part> parts;
  for (const PlannedTensor& tensor : plan.tensors()) {
    Part part = as_matrix(tensor.shape);
    part.lattice = !wants_product(tensor);
    part.step = step;
    if (!part.lattice) {
      const double share = kProductShare * bits * static_cast<double>(product(tensor.shape)) / elements;
      const double rank = share / (kFactorBits * static_cast<double>(part.rows + part.columns));
      const std::uint32_t most = std::min({part.rows, part.columns, delta::kRankMax});
      part.rank = std::clamp<std::uint32_t>(static_cast<std::uint32_t>(std::ceil(std::min(rank, 1e6))), 1, most);
    }
    parts.push_back(part);
  }
  return parts;
}

}  // namespace hone::trainer::wire_training
