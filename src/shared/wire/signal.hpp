// What a device senses: the shape and type of one sample, agreed by device, cloud and trainer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace hone::wire {

enum class DType : std::uint8_t { uint8, int8, int16, int32, float32 };

[[nodiscard]] std::string_view name_of(DType dtype);  // "uint8"
[[nodiscard]] std::size_t size_of(DType dtype);       // bytes per element
[[nodiscard]] Result<DType> dtype_from(std::string_view name);

struct Signal {
  std::vector<std::int64_t> shape;  // of one sample, no batch axis: {1, 28, 28}
  DType dtype = DType::float32;
  double scale = 1.0;               // raw * scale is what the network sees
  std::vector<std::string> labels;  // empty: unsupervised

  [[nodiscard]] std::size_t elements() const;
  [[nodiscard]] std::size_t sample_bytes() const { return elements() * size_of(dtype); }
  friend bool operator==(const Signal&, const Signal&) = default;
};

// Bounds: rank 1 to 4, 1 to 16 Mi elements, at most 4096 labels of at most 128 bytes.
[[nodiscard]] Result<> check(const Signal& signal);

[[nodiscard]] Json to_json(const Signal& signal);
[[nodiscard]] Result<Signal> signal_from(const Json& json);

}  // namespace hone::wire
