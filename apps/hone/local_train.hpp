// `hone train PIPELINE.toml`: has hone-trainer train on a folder, without a server, and shows how it goes.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.hpp"
#include "base/result.hpp"

namespace hone::app {

struct LocalTrainOptions {
  std::string pipeline, data, out, base, label_column, commands;
  std::uint64_t seed = 1;
};

// What stands in training.json. Progress goes to standard error where that is a terminal.
[[nodiscard]] Result<Json> train_locally(const LocalTrainOptions& options);

void print_local_training(const Json& training);

}  // namespace hone::app
