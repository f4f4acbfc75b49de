// What a trainer lends to commands: where programs may come from and where they work.
//
// A pipeline file comes from the cloud, and whoever may change it must not thereby run programs on the trainer's
// machine. So a command is the plain name of a file in one folder, which the trainer was started with (--commands), and
// it is looked for nowhere else: who may write into that folder decides what runs. Arguments come from the pipeline
// file.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/files.hpp"
#include "base/result.hpp"
#include "shared/wire/messages.hpp"

namespace hone::trainer {

struct CommandHost {
  Files& files;          // the real ones: a command sees them, too
  std::string programs;  // the folder of commands; empty: this trainer runs none
  std::string scratch;   // a folder that is ours alone; emptied before and removed after each command
  std::function<bool()>
      stop;  // asked several times a second; true: the job is no longer ours, or the process is to end
};

// The path of the program. `invalid`, with a sentence: no folder was given, the name is no plain one, or no file of
// that name that may be executed is there.
[[nodiscard]] Result<std::string> find_command(const CommandHost& host, std::string_view name);

}  // namespace hone::trainer
