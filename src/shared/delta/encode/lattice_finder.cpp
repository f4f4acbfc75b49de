#include "shared/delta/encode/lattice_finder.hpp"

#include <bit>
#include <cmath>
#include <cstddef>

#include "shared/delta/format/elements.hpp"
#include "shared/delta/format/float_add.hpp"
#include "shared/delta/format/lattice.hpp"

namespace hone::delta {
namespace {

std::uint32_t bits_at(ByteView values, std::size_t i) { return static_cast<std::uint32_t>(load_element<4>(&values[4 * i])); }

enum class Fit : std::uint8_t { yes, too_coarse, never };

// The k that leads from `base` to `target`, which differ.
Fit fit(std::uint32_t base, std::uint32_t target, std::int32_t scale, std::int64_t& k) {
  if (!is_finite_f32(base) || !is_finite_f32(target)) return Fit::never;
  const double apart = static_cast<double>(std::bit_cast<float>(target)) - static_cast<double>(std::bit_cast<float>(base));
  const double steps = std::nearbyint(std::ldexp(apart, scale));
  if (!(std::abs(steps) <= kStepsMax)) return Fit::never;
  k = static_cast<std::int64_t>(steps);
  std::uint32_t reached = 0;
  return move_by_steps(base, k, scale, reached) && reached == target ? Fit::yes : Fit::too_coarse;
}

}  // namespace

std::optional<LatticeSteps> find_lattice(ByteView base, ByteView target) {
  const std::size_t elements = target.size() / 4;
  std::int32_t scale = kScaleMin;
  bool changed = false;
  std::int64_t k = 0;
  for (std::size_t i = 0; i < elements; ++i) {
    const std::uint32_t from = bits_at(base, i);
    const std::uint32_t to = bits_at(target, i);
    if (from == to) continue;
    changed = true;
    // What fits a step fits half of it too, so no element needs a second look.
    Fit seen = fit(from, to, scale, k);
    while (seen == Fit::too_coarse && scale < kScaleMax) seen = fit(from, to, ++scale, k);
    if (seen != Fit::yes) return {};
  }
  if (!changed) return {};
  LatticeSteps found{scale, std::vector<std::int64_t>(elements)};
  for (std::size_t i = 0; i < elements; ++i) {
    const std::uint32_t from = bits_at(base, i);
    const std::uint32_t to = bits_at(target, i);
    if (from != to && fit(from, to, scale, found.steps[i]) != Fit::yes) return {};
  }
  return found;
}

std::optional<LatticeSteps> correct_low_rank(ByteView base, ByteView target, const LowRankHint& hint) {
  const std::size_t elements = target.size() / 4;
  if (hint.rank < 1 || hint.rank > 32 || hint.shift > 31 || hint.scale < kScaleMin || hint.scale > kScaleMax) return {};
  if (hint.columns < 1 || elements != static_cast<std::uint64_t>(hint.rows) * hint.columns) return {};
  if (hint.u.size() != static_cast<std::uint64_t>(hint.rows) * hint.rank ||
      hint.v.size() != static_cast<std::uint64_t>(hint.rank) * hint.columns)
    return {};
  LatticeSteps found{hint.scale, std::vector<std::int64_t>(elements)};
  for (std::size_t i = 0; i < elements; ++i) {
    std::int64_t predicted = 0;
    for (std::size_t r = 0; r < hint.rank; ++r)
      predicted += static_cast<std::int64_t>(hint.u[i / hint.columns * hint.rank + r]) * hint.v[r * hint.columns + i % hint.columns];
    predicted >>= hint.shift;
    const std::uint32_t from = bits_at(base, i);
    const std::uint32_t to = bits_at(target, i);
    std::uint32_t reached = 0;
    if (move_by_steps(from, predicted, hint.scale, reached) && reached == to) continue;
    std::int64_t k = 0;
    if (from != to && fit(from, to, hint.scale, k) != Fit::yes) return {};
    found.steps[i] = k - predicted;
    if (std::abs(found.steps[i]) > 0x7FFFFFFF) return {};
  }
  return found;
}

}  // namespace hone::delta
