#include "weights_file.hpp"

#include <algorithm>
#include <cmath>

namespace hone::bench {

void SafetensorsFile::describe(const std::string& name, const char* type, const std::vector<std::int64_t>& shape, std::size_t from) {
  std::string dimensions;
  for (const std::int64_t n : shape) dimensions += (dimensions.empty() ? "" : ", ") + std::to_string(n);
  header_ += (header_.empty() ? "{\"" : ", \"") + name + "\": {\"dtype\": \"" + type + "\", \"shape\": [" + dimensions +
             "], \"data_offsets\": [" + std::to_string(from) + ", " + std::to_string(data_.size()) + "]}";
}

Bytes SafetensorsFile::finish() {
  header_ += "}";
  header_.resize((header_.size() + 7) / 8 * 8, ' ');
  Bytes out(8);
  for (unsigned i = 0; i < 8; ++i) out[i] = static_cast<std::uint8_t>(header_.size() >> (8 * i));
  out.insert(out.end(), header_.begin(), header_.end());
  out.insert(out.end(), data_.begin(), data_.end());
  return out;
}

Int8Rows quantise_rows(const std::vector<float>& weights, std::size_t rows, const std::vector<float>& scales) {
  const std::size_t cols = weights.size() / rows;
  Int8Rows out;
  for (std::size_t r = 0; r < rows; ++r) {
    float largest = 0;
    for (std::size_t c = 0; c < cols; ++c) largest = std::max(largest, std::abs(scales[r * cols + c]));
    const float step = largest > 0 ? largest / 127 : 1;
    out.steps.push_back(step);
    for (std::size_t c = 0; c < cols; ++c) {
      const double q = std::nearbyint(static_cast<double>(weights[r * cols + c]) / static_cast<double>(step));
      out.values.push_back(static_cast<std::int8_t>(std::clamp(q, -127.0, 127.0)));
    }
  }
  return out;
}

}  // namespace hone::bench
