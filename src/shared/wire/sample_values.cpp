#include "shared/wire/sample_values.hpp"

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace hone::wire {
namespace {

template <class T>
float number_at(const std::uint8_t* bytes) {
  using Bits = std::conditional_t<sizeof(T) == 1, std::uint8_t, std::conditional_t<sizeof(T) == 2, std::uint16_t, std::uint32_t>>;
  Bits bits = 0;
  for (std::size_t i = sizeof(T); i-- > 0;)
    bits = static_cast<Bits>((sizeof(T) > 1 ? static_cast<std::uint64_t>(bits) << 8 : 0) | bytes[i]);
  return static_cast<float>(std::bit_cast<T>(bits));
}

template <class T>
void read_as(ByteView row, std::vector<float>& values) {
  for (std::size_t at = 0; at + sizeof(T) <= row.size(); at += sizeof(T)) {
    const float value = number_at<T>(row.data() + at);
    values.push_back(std::isfinite(value) ? value : 0.0f);
  }
}

}  // namespace

void append_values(DType dtype, ByteView samples, std::vector<float>& values) {
  switch (dtype) {
    case DType::uint8: return read_as<std::uint8_t>(samples, values);
    case DType::int8: return read_as<std::int8_t>(samples, values);
    case DType::int16: return read_as<std::int16_t>(samples, values);
    case DType::int32: return read_as<std::int32_t>(samples, values);
    case DType::float32: return read_as<float>(samples, values);
  }
}

}  // namespace hone::wire
