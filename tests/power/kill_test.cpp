// A real process, killed with SIGKILL at random moments while it writes its spool or rebuilds a model,
// on real files. The parent then looks at what is there.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "device_rig.hpp"
#include "edge/spool/spool.hpp"
#include "platform/posix/posix.hpp"

namespace hone::testing {
namespace {

using namespace std::chrono_literals;
using wire::OutcomeKind;

struct KillTest : ::testing::Test {
  std::string folder;
  std::unique_ptr<Files> files = platform::make_posix_files();
  std::unique_ptr<Random> random = platform::make_system_random();

  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "hone-kill-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  // Runs `work(pipe)` in a child and kills it after it has written `kill_after` words to the pipe, at a
  // moment of its own. Returns all the words.
  template <class Work>
  std::vector<std::uint32_t> kill_child(std::size_t kill_after, Work work) {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe(ends.data()), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      work(ends[1]);
      _exit(0);
    }
    close(ends[1]);
    std::vector<std::uint32_t> words;
    std::uint32_t word = 0;
    bool killed = false;
    while (read(ends[0], &word, sizeof word) == sizeof word) {
      words.push_back(word);
      if (!killed && words.size() >= kill_after) {
        kill(child, SIGKILL);
        killed = true;  // and what it told before it died is read to the end
      }
    }
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    return words;
  }
};

TEST_F(KillTest, EverySampleThatWasDurableIsThereOnce) {
  std::set<std::uint32_t> promised;
  std::uint32_t first = 0;
  for (std::size_t round = 0; round < 25; ++round) {
    const auto words = kill_child(1 + round * 7 % 40, [&](int tell) {
      edge::SpoolOptions options;
      options.segment_rows_max = 20;
      options.queue_bytes_max = 2000;
      auto spool = edge::Spool::open(*files, folder, options, *random);
      if (!spool) _exit(1);
      for (std::uint32_t i = first; i < first + 1000; ++i) {
        Bytes sample(300, static_cast<std::uint8_t>(i));
        std::memcpy(sample.data(), &i, sizeof i);
        if (!(*spool)->append({sample, 1, kStart})) _exit(1);
        if (i % 5 != 4) continue;
        if (!(*spool)->flush(kStart, 1h, {})) _exit(1);
        if (write(tell, &i, sizeof i) != sizeof i) _exit(1);
      }
    });
    ASSERT_FALSE(words.empty());
    for (std::uint32_t i = first; i <= words.back(); ++i) promised.insert(i);
    first = words.back() + 1000;
  }

  auto spool = edge::Spool::open(*files, folder, {}, *random);
  ASSERT_TRUE(spool);
  std::multiset<std::uint32_t> found;
  while (const auto sealed = (*spool)->oldest()) {
    const auto segment = (*spool)->read(*sealed);
    ASSERT_TRUE(segment);
    for (const auto& record : segment->records) {
      std::uint32_t id = 0;
      std::memcpy(&id, segment->bytes.data() + record.offset, sizeof id);
      found.insert(id);
      ASSERT_EQ(record.size, 300U);
      for (std::size_t i = sizeof id; i < record.size; ++i)
        ASSERT_EQ(segment->bytes[record.offset + i], static_cast<std::uint8_t>(id));
    }
    ASSERT_TRUE((*spool)->remove(*sealed));
  }
  for (const std::uint32_t id : promised) EXPECT_EQ(found.count(id), 1U) << id;
  for (const std::uint32_t id : found) EXPECT_EQ(found.count(id), 1U) << id;
}

// A device over real files; the toy cloud is made anew, the same by its seed, in every process.
struct RealDevice {
  ToyCloud cloud{kStart, 11};
  ToyRuntime runtime;
  std::unique_ptr<Files> files = platform::make_posix_files();
  std::unique_ptr<Random> random = platform::make_system_random();
  std::unique_ptr<edge::Agent> agent;
  Time now = kStart;

  explicit RealDevice(int releases) {
    cloud.publish({1, toy_model(1)}, kStart);
    if (releases > 1) cloud.publish({2, toy_model(2), toy_model(1)}, kStart);
  }
  Result<> open(const std::string& folder) {
    edge::AgentPorts ports{
        *files,
        *random,
        runtime,
        [this](const wire::Ticket&, const std::string& authorization) -> std::unique_ptr<HttpClient> {
          auto client = std::make_unique<platform::SimHttpClient>(
              [this](const HttpRequest& r) { return cloud.handle(r); }, sim_random, authorization);
          return client;
        },
        {}};
    edge::AgentOptions options{folder, cloud.ticket(), {}, {5, std::chrono::minutes(10), 1000}};
    HONE_TRY(agent, edge::Agent::open(std::move(options), std::move(ports), now));
    return {};
  }
  std::uint64_t release() const { return agent->status().release.value; }

 private:
  platform::SimRandom sim_random{1};
};

TEST_F(KillTest, ADeviceKilledWhileItUpdatesBootsAWholeModel) {
  const std::string state = folder + "/state";
  {
    RealDevice device(1);
    ASSERT_TRUE(device.open(state));
    for (int i = 0; i < 500 && device.release() == 0; ++i)
      device.now += std::max(device.agent->step(device.now), Duration(1));
    ASSERT_EQ(device.release(), 1U);
  }
  const std::string kept = folder + "/kept";
  std::filesystem::copy(state, kept, std::filesystem::copy_options::recursive);
  std::set<std::uint64_t> booted;
  for (std::size_t round = 0; round < 32; ++round) {
    std::filesystem::remove_all(state);
    std::filesystem::copy(kept, state, std::filesystem::copy_options::recursive);
    // Words tell each step; the kill comes a little after one of them.
    (void)kill_child(1 + round % 16, [&](int tell) {
      RealDevice device(2);
      if (!device.open(state)) _exit(1);
      for (std::uint32_t step = 0; step < 200; ++step) {
        for (std::uint8_t i = 0; i < 10; ++i) {
          const Bytes sample{i, 0, 0, 0};
          (void)device.agent->infer(sample, {});
        }
        device.now += std::max(device.agent->step(device.now), Duration(1));
        if (write(tell, &step, sizeof step) != sizeof step) _exit(1);
      }
    });
    RealDevice device(2);
    const auto opened = device.open(state);
    ASSERT_TRUE(opened) << opened.error().context;
    const std::uint64_t release = device.release();
    ASSERT_TRUE(release == 1 || release == 2) << release;
    booted.insert(release);
    const Bytes sample{4, 3, 2, 1};
    std::vector<float> scores(3);
    ASSERT_TRUE(device.agent->infer(sample, scores));
    EXPECT_EQ(scores, toy_scores(toy_model(static_cast<std::uint8_t>(release)), sample));
  }
  EXPECT_TRUE(booted.contains(2)) << "sixteen steps bring an update through";
}

}  // namespace
}  // namespace hone::testing
