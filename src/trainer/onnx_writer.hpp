// Writes a trained network as an ONNX file: opset 13, IR 8, the contract of shared/model/run.
//
//   x [N, ...shape] of the signal's dtype -> Cast -> Mul scale -> (input scale) -> layers -> scores [N, labels]
//
// The same arguments give the same bytes: nothing that changes from run to run (time, host) is
// written. Two releases of one recipe differ in the weights and in a few lines at the very end,
// so that a delta between them has only these to carry.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "trainer/plan.hpp"
#include "trainer/weights.hpp"

namespace hone::trainer {

// Written as metadata "hone.<field>", of hashes the first 16 digits.
struct OnnxLineage {
  PipelineName pipeline;
  std::string recipe;   // Pipeline::recipe_fingerprint()
  std::string dataset;  // hex of the dataset version
  std::string base;     // hex of the model that training began from; empty: from scratch
  std::uint64_t seed = 0;
};

// Refuses with `invalid` weights that are not those of the plan.
[[nodiscard]] Result<Bytes> write_onnx(const Plan& plan, const Weights& weights, const OnnxLineage& lineage);

}  // namespace hone::trainer
