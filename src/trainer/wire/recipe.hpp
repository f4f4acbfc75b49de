// The last part of a network's recipe under `delivery.wire_budget`: after free training, a curve of updates
// trained to be small, and the one that is worth sending.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "trainer/fit.hpp"
#include "trainer/onnx_writer.hpp"
#include "trainer/wire/distil.hpp"

namespace hone::trainer::wire_training {

struct Wish {  // borrowed
  const Plan& plan;
  const TrainRules& rules;
  const Rows& rows;
  const Weights& deployed;
  ByteView deployed_onnx;
  const Fitted& free;            // trained from the deployed weights
  const OnnxLineage& lineage;    // of the file to be written
  std::uint64_t seed = 0;
  std::uint64_t budget_bytes = 0;
  double keep = 0.9;             // share of the free model's gain on the validation rows
};

struct Small {
  Bytes onnx;
  Bytes hints;  // shared/delta/encode/hints_file.hpp
  double validation_metric = 0;
};

struct Curve {
  std::optional<Small> chosen;  // none: no point keeps enough of the gain, or none fits the budget
  Json lineage;                 // every point, the choice, and why there is none
};

// Points of the curve are trained from the largest budget down, each for as long as the free model was, and no further
// than one that keeps too little. Progress goes from 0 to 1 over all of them. Errors as in fit().
[[nodiscard]] Result<Curve> train_for_the_wire(const Wish& wish, const OnProgress& progress);

}  // namespace hone::trainer::wire_training
