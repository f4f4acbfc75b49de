// Tensors that grew or shrank: more classes in a head, a wider layer.
#pragma once

#include <vector>

#include "shared/delta/encode/plan.hpp"
#include "shared/model/tensors.hpp"

namespace hone::delta {

// `base` and `target` are of one name and type, and of different shapes. The rows that both have (by the
// first axis) begin alike as far as the shorter row goes: each such part is a segment with a base, what is
// new is one without. Empty when the shapes say nothing of that, or the parts would be too small to pay.
[[nodiscard]] std::vector<Segment> resized_segments(const model::TensorExtent& base, const model::TensorExtent& target,
                                                    Type type);

}  // namespace hone::delta
