#include "trainer/command/run_command.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "platform/posix/child_process.hpp"
#include "shared/wire/fields.hpp"

namespace hone::trainer {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr Duration kLookEvery = std::chrono::milliseconds(100);
constexpr Duration kGrace = std::chrono::seconds(3);  // from SIGTERM to SIGKILL
constexpr std::size_t kLastLineBytesMax = 300;        // of the wire::kTextBytesMax that a reason may have

// What a command gets of our environment, where it is set. Nothing else: names that nobody thought of may be secrets.
constexpr std::array kPassedOn{"PATH",           "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES",
                               "OMP_NUM_THREADS"};

std::vector<std::string> environment_for(const CommandLine& command) {
  std::vector<std::string> variables;
  for (const char* name : kPassedOn)
    if (const char* value = std::getenv(name)) variables.push_back(std::string(name) + "=" + value);
  variables.push_back("HOME=" + command.folder);
  variables.push_back("TMPDIR=" + command.folder);
  return variables;
}

// A pipe of which the command gets one end. Both are closed by the destructor.
class Pipe {
 public:
  [[nodiscard]] Result<> open() {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0 || ::fcntl(ends_[0], F_SETFL, O_NONBLOCK) != 0)
      return fail(Code::unavailable, "no pipe to be had: " + std::generic_category().message(errno));
    return {};
  }
  ~Pipe() {
    close_writing_end();
    if (ends_[0] >= 0) ::close(ends_[0]);
  }
  Pipe() = default;
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  [[nodiscard]] int writing_end() const { return ends_[1]; }
  void close_writing_end() {
    if (ends_[1] >= 0) ::close(std::exchange(ends_[1], -1));
  }

  // Waits for something to read at most so long, then reads what is there, bounded: whoever prints without end does not
  // keep us here. False: nobody has the other end any more.
  [[nodiscard]] bool read_some(Duration wait, OutputLines& lines) {
    pollfd ready{ends_[0], POLLIN, 0};
    if (::poll(&ready, 1, static_cast<int>(wait.count())) <= 0) return true;
    std::array<char, 16384> piece{};
    for (int i = 0; i < 64; ++i) {
      const ssize_t n = ::read(ends_[0], piece.data(), piece.size());
      if (n <= 0) return n != 0;
      lines.add(std::string_view(piece.data(), static_cast<std::size_t>(n)));
    }
    return true;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

// Why it is made to end before it has ended by itself.
struct Ending {
  Code code = Code::invalid;
  std::string why;
};

std::optional<Ending> reason_to_end(const CommandLine& command, const CommandHost& host, SteadyTime began) {
  if (host.stop && host.stop()) return Ending{Code::cancelled, "the job is no longer ours, or the trainer is stopping"};
  if (std::chrono::steady_clock::now() - began < command.timeout) return std::nullopt;
  return Ending{Code::invalid, "did not end within " + std::to_string(command.timeout.count() / 1000) +
                                   " s (train.timeout) and was stopped"};
}

std::string how_it_ended(int status) {
  if (status <= 128) return "left with exit status " + std::to_string(status);
  const char* name = ::strsignal(status - 128);
  return "was ended by signal " + std::to_string(status - 128) + (name ? " (" + std::string(name) + ")" : "");
}

}  // namespace

Result<> run_command(const CommandLine& command, const CommandHost& host, const OutputLines::OnLine& on_line) {
  Pipe output;
  HONE_CHECK(output.open());
  platform::ChildSetup setup;
  setup.output_fd = setup.error_fd = output.writing_end();
  setup.folder = command.folder;
  setup.environment = environment_for(command);
  setup.own_group = true;
  auto child = platform::ChildProcess::start(command.argv, setup);
  output.close_writing_end();
  if (!child)
    return fail(child.error().code == Code::not_found
                    ? Error(Code::invalid, command.name + " cannot be started: its file, or the interpreter "
                                                          "that its first line names, is not there")
                    : child.error());

  LogTail said;
  OutputLines lines([&](std::string_view line) {
    said.add(line);
    on_line(line);
  });
  const SteadyTime began = std::chrono::steady_clock::now();
  std::optional<Ending> ending;
  SteadyTime kill_at{};
  while (!(*child)->exited()) {
    if (!output.read_some(kLookEvery, lines)) (void)(*child)->wait(kLookEvery);
    if (ending) {
      if (std::chrono::steady_clock::now() >= kill_at) (*child)->send_signal(SIGKILL);
    } else if ((ending = reason_to_end(command, host, began))) {
      (*child)->send_signal(SIGTERM);
      kill_at = std::chrono::steady_clock::now() + kGrace;
    }
  }
  (void)output.read_some(Duration{0}, lines);
  lines.finish();

  const int status = *(*child)->exited();
  if (!ending && status == 0) return {};
  if (ending && ending->code == Code::cancelled) return fail(Code::cancelled, ending->why);
  std::string why = command.name + " " + (ending ? ending->why : how_it_ended(status));
  if (const std::string_view last = said.last_line(); !last.empty())
    why += "; the last it said: " + wire::clip(last, kLastLineBytesMax);
  return fail(Code::invalid, why);
}

}  // namespace hone::trainer
