#include "platform/posix/child_process.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace hone::platform {
namespace {

constexpr auto kLong = std::chrono::seconds(30);

std::unique_ptr<ChildProcess> shell(const std::string& script, const ChildSetup& setup = {}) {
  auto child = ChildProcess::start({"/bin/sh", "-c", script}, setup);
  if (!child) {
    ADD_FAILURE() << child.error().context;
    return nullptr;
  }
  return std::move(*child);
}

std::string read_to_end(int fd) {
  std::string text;
  char piece[256];
  for (;;) {
    const ssize_t n = ::read(fd, piece, sizeof piece);
    if (n <= 0) break;
    text.append(piece, static_cast<std::size_t>(n));
  }
  ::close(fd);
  return text;
}

TEST(ChildProcess, TellsTheExitStatus) { EXPECT_EQ(shell("exit 7")->wait(kLong), 7); }

TEST(ChildProcess, TellsTheSignalThatEndedIt) { EXPECT_EQ(shell("kill -9 $$")->wait(kLong), 128 + 9); }

TEST(ChildProcess, RunsUntilItIsSignalled) {
  const auto child = shell("while :; do read -r line < /dev/zero; done");
  EXPECT_EQ(child->wait(Duration(0)), std::nullopt);
  child->send_signal(SIGTERM);
  EXPECT_EQ(child->wait(kLong), 128 + SIGTERM);
}

TEST(ChildProcess, SaysWhenThereIsNoSuchProgram) {
  const auto child = ChildProcess::start({"/no/such/program"});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().code, Code::not_found);
  EXPECT_NE(child.error().context.find("/no/such/program"), std::string::npos);
}

TEST(ChildProcess, WritesItsOutputToTheFile) {
  const auto path = std::filesystem::temp_directory_path() / ("hone-child-" + std::to_string(::getpid()));
  ChildSetup setup;
  setup.output_file = path;
  EXPECT_EQ(shell("echo out; echo err >&2", setup)->wait(kLong), 0);
  std::ifstream in(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "out\nerr\n");
  std::filesystem::remove(path);
}

TEST(ChildProcess, InheritsNoFileOfOurs) {
  const int ours = ::dup(STDOUT_FILENO);
  EXPECT_EQ(shell("test ! -e /proc/self/fd/" + std::to_string(ours))->wait(kLong), 0);
  ::close(ours);
}

TEST(ChildProcess, StartsWithNoSignalBlocked) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  const auto child = shell("grep -q '^SigBlk:[[:space:]]*0*$' /proc/self/status");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(child->wait(kLong), 0);
}

TEST(ChildProcess, IsKilledWithItsParent) {
  // A parent that starts a child, tells its id and is killed: the child must be gone as well. The
  // pipe that both hold open ends only when the last of them has.
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    ::close(ends[0]);
    ::dup2(ends[1], STDOUT_FILENO);
    auto child = ChildProcess::start({"/bin/sh", "-c", "while :; do read -r line < /dev/zero; done"});
    const char mark = child ? 'y' : 'n';
    (void)!::write(ends[1], &mark, 1);
    ::raise(SIGKILL);
  }
  ::close(ends[1]);
  char mark = 0;
  ASSERT_EQ(::read(ends[0], &mark, 1), 1);
  EXPECT_EQ(mark, 'y');
  EXPECT_EQ(::read(ends[0], &mark, 1), 0);  // blocks for ever when the child lives on
  ::close(ends[0]);
  ::waitpid(parent, nullptr, 0);
}

TEST(ChildProcess, WritesItsOutputIntoAPipe) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ChildSetup setup;
  setup.output_fd = ends[1];
  setup.error_fd = ends[1];
  const auto child = shell("echo out; echo err >&2", setup);
  ::close(ends[1]);
  EXPECT_EQ(read_to_end(ends[0]), "out\nerr\n");
  EXPECT_EQ(child->wait(kLong), 0);
}

TEST(ChildProcess, SeesTheEnvironmentAndFolderThatItIsGiven) {
  ::setenv("HONE_TEST_SECRET", "hush", 1);
  ChildSetup setup;
  setup.environment = {"ONLY=this"};
  setup.folder = "/";
  EXPECT_EQ(shell("test \"$ONLY\" = this && test -z \"$HONE_TEST_SECRET\" && test \"$(pwd)\" = /", setup)->wait(kLong), 0);
  EXPECT_EQ(shell("test \"$HONE_TEST_SECRET\" = hush")->wait(kLong), 0);
}

// Whoever is in the group holds the pipe open: it ends only when all of them are gone.
TEST(ChildProcess, WhatItStartedEndsWithIt) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ChildSetup setup;
  setup.output_fd = ends[1];
  setup.own_group = true;
  const auto child = shell("(trap '' TERM; while :; do read -r line < /dev/zero; done) & echo started", setup);
  ::close(ends[1]);
  EXPECT_EQ(child->wait(kLong), 0);
  EXPECT_EQ(read_to_end(ends[0]), "started\n");
}

TEST(ChildProcess, ASignalReachesItsWholeGroup) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ChildSetup setup;
  setup.output_fd = ends[1];
  setup.own_group = true;
  const auto child =
      shell("trap : TERM; (trap 'echo told; exit' TERM; echo ready; while :; do :; done) & wait; wait", setup);
  ::close(ends[1]);
  std::string said(6, ' ');
  ASSERT_EQ(::read(ends[0], said.data(), said.size()), 6);
  EXPECT_EQ(said, "ready\n");
  child->send_signal(SIGTERM);
  EXPECT_EQ(child->wait(kLong), 0);
  EXPECT_EQ(read_to_end(ends[0]), "told\n");
}

TEST(FindProgram, LooksInThePath) {
  EXPECT_TRUE(find_program("sh"));
  EXPECT_FALSE(find_program("no-such-program-anywhere"));
}

}  // namespace
}  // namespace hone::platform
