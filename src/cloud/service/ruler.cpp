#include "cloud/service/ruler.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "shared/metrics/draw.hpp"

namespace hone::cloud {
namespace {

// Rows that hold a NaN have no place in the space.
void drop_rows_without_place(MeasuredSpace& space) {
  const auto width = static_cast<std::size_t>(space.width);
  std::size_t kept = 0;
  for (std::size_t row = 0; row < space.rows.size(); ++row) {
    const auto from = space.features.begin() + static_cast<std::ptrdiff_t>(row * width);
    if (!std::all_of(from, from + space.width, [](float value) { return std::isfinite(value); })) continue;
    std::copy(from, from + space.width, space.features.begin() + static_cast<std::ptrdiff_t>(kept * width));
    space.rows[kept++] = space.rows[row];
  }
  space.rows.resize(kept);
  space.features.resize(kept * width);
}

}  // namespace

Result<ModelHash> find_ruler(const Asking& asking, const std::vector<ModelHash>& released, const ModelHash& candidate) {
  for (const ModelHash& model : released) {
    const auto width = feature_width(asking, model);
    if (width) return model;
    if (width.error().code == Code::unavailable) return fail(width.error().within("find the ruler"));
  }
  return candidate;
}

Result<MeasuredSpace> measure_space(const Asking& asking, const ModelHash& ruler, std::uint64_t seed) {
  MeasuredSpace space;
  space.ruler = ruler;
  HONE_TRY(space.width, feature_width(asking, ruler));
  const std::int64_t rows_max = std::max<std::int64_t>(1, kFeatureValuesMax / space.width);
  space.rows = metrics::draw_rows(asking.dataset.holdout_rows(), rows_max, seed);
  HONE_TRY(auto features, ask_features(asking, ruler, space.rows));
  space.features = std::move(features.values);
  drop_rows_without_place(space);
  return space;
}

}  // namespace hone::cloud
