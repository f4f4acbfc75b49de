// Raw samples as numbers.
#pragma once

#include <vector>

#include "base/bytes.hpp"
#include "shared/wire/signal.hpp"

namespace hone::wire {

// Appends the elements of `samples`, little-endian of this type; what is no finite number counts as 0.
void append_values(DType dtype, ByteView samples, std::vector<float>& values);

}  // namespace hone::wire
