// What ranges the values of a graph have on some rows. Knows ONNX's protobuf: only sources of this folder include it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "shared/model/run/runtime.hpp"
#include "trainer/onnx_graph.hpp"
#include "trainer/rows.hpp"

namespace hone::trainer {

struct Range {
  float low = 0;
  float high = 0;
};

// Of each of `values`, on at most `rows_max` evenly spaced rows: the quantile (0 to 1) of the rows' largest elements, and
// the one from the other end of their smallest. Errors: invalid (no rows, values that are not finite), as the runtime's.
[[nodiscard]] Result<std::map<std::string, Range>> calibrate(const onnx::ModelProto& model,
                                                             const std::vector<std::string>& values, const Rows& rows,
                                                             std::int64_t rows_max, double quantile,
                                                             model::Runtime& runtime);

}  // namespace hone::trainer
