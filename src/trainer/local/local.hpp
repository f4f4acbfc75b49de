// Training without a server: the same trainer on a folder of files instead of a leased job.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/files.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "trainer/fit.hpp"

namespace hone::trainer {

struct LocalOptions {
  std::string pipeline;      // the pipeline file
  std::string data;          // folder, as in shared/samples/folder.hpp; its training part is read
  std::string out;           // folder, made when it is absent
  std::string base;          // an ONNX file to start from; empty: from scratch
  std::string label_column;  // of CSV files
  std::uint64_t seed = 1;
  std::string trainer;       // this trainer's name, for the lineage
  std::string commands{};    // folder of programs that the pipeline may name; empty: none are run
};

constexpr const char* kLocalModelFile = "model.onnx";
constexpr const char* kLocalReportFile = "training.json";

// Writes model.onnx, its exports and training.json into `out`, the models first, each whole or not at all, and returns what
// stands in the latter (docs/trainers.md). All rows train: whoever wants a holdout keeps it in another folder.
// A program of the recipe `command` works in a folder below `out`, which is removed, and is ended once `stopping` is true.
// Errors: those of the reader, the pipeline file and the recipe; `cancelled` when `progress` or `stopping` said stop.
[[nodiscard]] Result<Json> train_locally(const LocalOptions& options, Files& files, const Clock& clock,
                                         const OnProgress& progress, const std::function<bool()>& stopping);

}  // namespace hone::trainer
