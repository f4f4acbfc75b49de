// Samples from files, as every reader here gives them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace hone::samples {

constexpr std::int64_t kNoLabel = -1;
constexpr std::int64_t kLabelIndexMax = 4095;  // where the signal names no labels

struct Samples {
  Bytes x;                      // rows() samples of signal.sample_bytes(), one after another
  std::vector<std::int64_t> y;  // index of the label, or kNoLabel
  std::string source;           // the files, for people

  [[nodiscard]] std::size_t rows() const { return y.size(); }
};

}  // namespace hone::samples
