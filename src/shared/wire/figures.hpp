// What a command's `eval` says of one model: a .npy file with one figure a holdout row, <f4 or <f8, shape [rows].
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace hone::wire {

// The largest file that holds so many figures.
[[nodiscard]] std::uint64_t figures_bytes_max(std::int64_t rows);

// `invalid`, with a sentence, when it is no such file, has another number of rows, or a figure is NaN or infinite.
[[nodiscard]] Result<std::vector<double>> figures_from_npy(ByteView npy, std::int64_t rows);

}  // namespace hone::wire
