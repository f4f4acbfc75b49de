// One job from rows in memory to an ONNX file in memory. Nothing here knows the network or the
// disk: hone-trainer calls it for leased jobs, a test calls it directly.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "shared/pipeline/pipeline.hpp"
#include "shared/wire/messages.hpp"
#include "trainer/command/command_host.hpp"
#include "trainer/fit.hpp"
#include "trainer/rows.hpp"

namespace hone::trainer {

struct TrainOutcome {
  Bytes onnx;
  std::vector<Bytes> further;  // the other files that the message names: exports, hints, the fallback's
  wire::TrainedModel message;  // for POST /v1/jobs/<id>/complete; message.model is the hash of `onnx`
};

// `pipeline` is what job.pipeline_toml says. `base_onnx` is the file of job.base: training begins
// from its weights when they fit the recipe; when not, it begins from scratch and the lineage says
// why. Rows that hold a NaN or an infinity are left out, where labels are learned also those without one, and counted in
// the lineage. The clock only measures. `trainer` is this trainer's name, for the lineage. `commands`: what the recipe
// `command` may run; null: nothing.
// Errors as in fit(); `invalid` also for layers that do not fit the signal, and when no row has a label to learn.
[[nodiscard]] Result<TrainOutcome> train(const wire::Job& job, const Pipeline& pipeline, Rows rows,
                                         const std::optional<Bytes>& base_onnx, const std::string& trainer,
                                         const Clock& clock, const OnProgress& progress,
                                         const CommandHost* commands = nullptr);

}  // namespace hone::trainer
