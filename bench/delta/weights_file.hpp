// Files of weights for the benchmark: safetensors, and rows quantised to int8 as runtimes do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace hone::bench {

// Puts a safetensors file together, tensor by tensor, in the order of the calls.
class SafetensorsFile {
 public:
  template <class T>
  void add(const std::string& name, const char* type, const std::vector<std::int64_t>& shape, const std::vector<T>& values) {
    const std::size_t at = data_.size();
    data_.resize(at + values.size() * sizeof(T));
    std::memcpy(data_.data() + at, values.data(), values.size() * sizeof(T));
    describe(name, type, shape, at);
  }
  [[nodiscard]] Bytes finish();

 private:
  void describe(const std::string& name, const char* type, const std::vector<std::int64_t>& shape, std::size_t from);

  std::string header_;
  Bytes data_;
};

struct Int8Rows {
  std::vector<float> steps;         // one a row
  std::vector<std::int8_t> values;  // row-major
};
// Symmetric, one step a row: the largest magnitude of that row of `scales` over 127.
[[nodiscard]] Int8Rows quantise_rows(const std::vector<float>& weights, std::size_t rows, const std::vector<float>& scales);

}  // namespace hone::bench
