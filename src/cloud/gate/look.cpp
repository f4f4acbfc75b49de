#include "cloud/gate/look.hpp"

namespace hone::cloud {

Look next_look(const std::optional<Look>& last, std::int64_t measured_rows) {
  if (!last || static_cast<double>(measured_rows) >= kNewHoldoutGrowth * static_cast<double>(last->first_rows))
    return {1, measured_rows};
  return {last->number + 1, last->first_rows};
}

double tail_of(const Look& look, double confidence) {
  const auto k = static_cast<double>(look.number);
  return (1 - confidence) / 2 / (k * (k + 1));
}

std::optional<Look> look_of(const Json& numbers) {
  if (!numbers.is_object() || !numbers.contains("look") || !numbers["look"].is_object()) return std::nullopt;
  const auto number = get_int(numbers["look"], "number");
  const auto first_rows = get_int(numbers["look"], "first_rows");
  if (!number || !first_rows || *number < 1) return std::nullopt;
  return Look{*number, *first_rows};
}

}  // namespace hone::cloud
