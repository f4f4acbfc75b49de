// A metric of the pipeline's own: its command gives each holdout row a figure, for each model.
//
//   <train.eval> eval MODEL HOLDOUT OUT.npy
#pragma once

#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "shared/pipeline/pipeline.hpp"
#include "trainer/command/command_host.hpp"
#include "trainer/rows.hpp"

namespace hone::trainer {

struct EvaluateInput {  // borrowed
  const Pipeline& pipeline;
  const DatasetHash& dataset;
  const Rows& holdout;
  const std::vector<Bytes>& models;  // ONNX files
  const CommandHost& host;
};

// What the command wrote for each model, in their order: a file of bounded size that the cloud reads with
// wire::figures_from_npy. Not looked into here: whoever judges has to look anyway.
// Errors as in run_command; `invalid` also without such a command or when it wrote nothing.
[[nodiscard]] Result<std::vector<Bytes>> evaluate(const EvaluateInput& input);

}  // namespace hone::trainer
