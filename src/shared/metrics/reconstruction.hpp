// How much of a sample an autoencoder gives back: 1 - mean over the elements of ((x - r) / s)^2, not below -1. s is the
// element's spread among the measured rows, half of the range from their 10% to their 90% quantile: a ruler that comes
// from the data alone, so that two models of one comparison are measured by the same one, whatever they normalise by.
//
// Keeps nothing; any thread may call.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace hone::metrics {

// So many values are held to find the spreads: those of the first rows, where there are more.
constexpr std::size_t kSpreadValuesMax = std::size_t{1} << 24;

// One an element, of `values` [rows, elements]; empty when there are no rows. Of values that hardly vary it is their
// deviation, or 1.
[[nodiscard]] std::vector<double> spreads_of(std::span<const float> values, std::size_t elements);

// The figure of one row. `raw` and `spreads` are in raw units, `given_back` in those of raw * scale.
[[nodiscard]] double explained(std::span<const float> raw, double scale, std::span<const float> given_back,
                               std::span<const double> spreads);

}  // namespace hone::metrics
