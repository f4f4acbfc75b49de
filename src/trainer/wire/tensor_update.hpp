// What an update trained for the wire does to one tensor, in the integers that the delta coder sends:
// a product of thin matrices and a lattice's steps (docs/formats/delta.md, "Low rank"). Pure: no libtorch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "shared/delta/encode/low_rank_hint.hpp"
#include "trainer/weights.hpp"

namespace hone::trainer::wire_training {

// Element e = i * columns + j moves by k * 2^-scale, k = sum over r of u[i][r] * v[r][j], plus steps[e].
// Nothing at all in it: the tensor is frozen.
struct TensorUpdate {
  std::string tensor;
  std::int32_t scale = 0;
  std::uint32_t rows = 0, columns = 0, rank = 0;  // rank 0: no product, rows and columns say nothing
  std::vector<std::int16_t> u{};                  // rows * rank
  std::vector<std::int16_t> v{};                  // rank * columns
  std::vector<std::int32_t> steps{};              // one for each element, or none

  [[nodiscard]] bool is_frozen() const;
  [[nodiscard]] std::string method() const;  // "frozen", "lattice", "low rank 3", "low rank 3 + lattice"
};

using Update = std::vector<TensorUpdate>;  // in the order of the weights

// Without the components that are zero, and without a factor that all numbers of a component, or all
// steps, have in common with a power of two: the same update, said more cheaply.
[[nodiscard]] TensorUpdate simplified(TensorUpdate update);

// The deployed weights moved as a device moves them: in integers, one fp32 addition an element.
// `invalid`: an update of another shape, of more steps than the format knows, or of weights that are no numbers.
[[nodiscard]] Result<Weights> rebuild(const Weights& deployed, const Update& update);

// What the encoder has to be told about the products.
[[nodiscard]] std::vector<delta::LowRankHint> hints_of(const Update& update);

}  // namespace hone::trainer::wire_training
