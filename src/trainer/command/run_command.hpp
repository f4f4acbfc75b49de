// Runs one command to its end: in a process group of its own, with a time-out, without the trainer's secrets, its
// output read as it comes. Knows nothing of what the command is for.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "trainer/command/command_host.hpp"
#include "trainer/command/output_lines.hpp"

namespace hone::trainer {

struct CommandLine {
  std::string name;               // for sentences: "train.py"
  std::vector<std::string> argv;  // the first is the program's path
  std::string folder;             // that it works in; also its HOME and TMPDIR
  Duration timeout{0};
};

// Hands each line that it prints, on either stream, to `on_line`. An exit status of 0 is success.
// Errors: invalid (another exit status, a signal, the time-out; the sentence ends with the last line that was printed),
// cancelled (host.stop), unavailable (it cannot be started).
[[nodiscard]] Result<> run_command(const CommandLine& command, const CommandHost& host,
                                   const OutputLines::OnLine& on_line);

}  // namespace hone::trainer
