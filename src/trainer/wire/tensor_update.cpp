#include "trainer/wire/tensor_update.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <utility>

#include "shared/delta/format/lattice.hpp"

namespace hone::trainer::wire_training {
namespace {

template <class T>
bool all_zero(const std::vector<T>& values) {
  return std::all_of(values.begin(), values.end(), [](T value) { return value == 0; });
}

// Component r holds nothing when one of its sides does.
bool is_empty(const TensorUpdate& update, std::uint32_t r) {
  bool u_empty = true;
  for (std::uint32_t i = 0; i < update.rows; ++i) u_empty = u_empty && update.u[i * update.rank + r] == 0;
  const auto row = update.v.begin() + static_cast<std::ptrdiff_t>(r) * update.columns;
  return u_empty || std::all_of(row, row + update.columns, [](std::int16_t value) { return value == 0; });
}

void drop_empty_components(TensorUpdate& update) {
  std::vector<std::uint32_t> kept;
  for (std::uint32_t r = 0; r < update.rank; ++r)
    if (!is_empty(update, r)) kept.push_back(r);
  std::vector<std::int16_t> u;
  std::vector<std::int16_t> v;
  for (std::uint32_t i = 0; i < update.rows; ++i)
    for (const std::uint32_t r : kept) u.push_back(update.u[i * update.rank + r]);
  for (const std::uint32_t r : kept) {
    const auto row = update.v.begin() + static_cast<std::ptrdiff_t>(r) * update.columns;
    v.insert(v.end(), row, row + update.columns);
  }
  update.rank = static_cast<std::uint32_t>(kept.size());
  update.u = std::move(u);
  update.v = std::move(v);
}

std::int64_t product_at(const TensorUpdate& update, std::size_t element) {
  const std::size_t i = element / update.columns;
  const std::size_t j = element % update.columns;
  std::int64_t sum = 0;
  for (std::size_t r = 0; r < update.rank; ++r)
    sum += static_cast<std::int64_t>(update.u[i * update.rank + r]) * update.v[r * update.columns + j];
  return sum;
}

bool fits(const TensorUpdate& update, const Tensor& tensor) {
  const std::size_t elements = tensor.values.size();
  if (update.tensor != tensor.name || update.scale < delta::kScaleMin || update.scale > delta::kScaleMax) return false;
  if (!update.steps.empty() && update.steps.size() != elements) return false;
  const auto rows = static_cast<std::uint64_t>(update.rows);
  return update.rank == 0 || (rows * update.columns == elements && update.u.size() == rows * update.rank &&
                              update.v.size() == static_cast<std::uint64_t>(update.rank) * update.columns);
}

}  // namespace

bool TensorUpdate::is_frozen() const {
  if (!all_zero(steps)) return false;
  for (std::uint32_t r = 0; r < rank; ++r)
    if (!is_empty(*this, r)) return false;
  return true;
}

std::string TensorUpdate::method() const {
  if (is_frozen()) return "frozen";
  if (rank == 0) return "lattice";
  const std::string low_rank = "low rank " + std::to_string(rank);
  return all_zero(steps) ? low_rank : low_rank + " + lattice";
}

TensorUpdate simplified(TensorUpdate update) {
  if (update.rank > 0) drop_empty_components(update);
  if (all_zero(update.steps)) update.steps.clear();
  return update;
}

Result<Weights> rebuild(const Weights& deployed, const Update& update) {
  if (update.size() != deployed.size()) return fail(Code::invalid, "the update is one of another network");
  Weights rebuilt = deployed;
  for (std::size_t t = 0; t < update.size(); ++t) {
    const TensorUpdate& change = update[t];
    Tensor& tensor = rebuilt[t];
    if (!fits(change, tensor)) return fail(Code::invalid, "the update of " + tensor.name + " does not fit the tensor");
    if (change.is_frozen()) continue;
    for (std::size_t e = 0; e < tensor.values.size(); ++e) {
      std::int64_t k = change.rank == 0 ? 0 : product_at(change, e);
      if (!change.steps.empty()) k += change.steps[e];
      std::uint32_t moved = 0;
      if (!delta::move_by_steps(std::bit_cast<std::uint32_t>(tensor.values[e]), k, change.scale, moved))
        return fail(Code::invalid, "the update of " + tensor.name + " takes more steps than a delta can say, or the weight is no number");
      tensor.values[e] = std::bit_cast<float>(moved);
    }
  }
  return rebuilt;
}

std::vector<delta::LowRankHint> hints_of(const Update& update) {
  std::vector<delta::LowRankHint> hints;
  for (const TensorUpdate& change : update)
    if (change.rank > 0) hints.push_back({change.tensor, change.rows, change.columns, change.rank, 0, change.scale, change.u, change.v});
  return hints;
}

}  // namespace hone::trainer::wire_training
