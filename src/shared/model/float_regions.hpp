// Finds runs of fp32 weights in bytes of unknown meaning: pickled PyTorch files, HDF5, bundles.
#pragma once

#include <vector>

#include "shared/model/tensors.hpp"

namespace hone::model {

// Runs of at least 16 words at one alignment whose exponents are those of weights (zero, or 2^-40
// to 2^15), without names. By offset, not overlapping. Linear in the bytes.
[[nodiscard]] std::vector<TensorExtent> find_float_regions(ByteView bytes);

}  // namespace hone::model
