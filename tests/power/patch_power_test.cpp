// Patches applied in place and beside, with the power cut at every write, sync, truncation, rename and
// removal of the disk, and cut again while that is recovered. What is found is always the old file, the
// new one, or one that the same call completes.
//
// HONE_POWER=all cuts everywhere, several times over (`make test-power`); else a slice of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "platform/sim/sim.hpp"
#include "shared/delta/apply_files.hpp"
#include "shared/delta/encode/encode.hpp"

namespace hone::delta {
namespace {

bool is_exhaustive() {
  const char* wanted = std::getenv("HONE_POWER");
  return wanted != nullptr && std::string(wanted) == "all";
}

struct Case {
  std::string name;
  Bytes base;
  Bytes target;
  Bytes patch;
  std::uint32_t shift_blocks = 0;
};

Case make_case(std::string name, Bytes base, Bytes target, Profile profile, std::uint8_t block_log2) {
  EncodeOptions options;
  options.profile = profile;
  options.in_place = true;
  options.block_log2 = block_log2;
  Bytes patch = *encode(base, target, options);
  Header header;
  EXPECT_EQ(read_header(patch.data(), patch.size(), header), Status::ok);
  return {std::move(name), std::move(base), std::move(target), std::move(patch), header.shift_blocks};
}

Bytes floats(std::size_t count, float change, const std::string& head) {
  std::mt19937 random(51);
  std::normal_distribution<float> normal(0, 0.05f);
  std::vector<float> weights(count);
  for (float& w : weights) w = normal(random);
  for (float& w : weights) w += change * normal(random);
  Bytes bytes = to_bytes(head);
  bytes.resize(head.size() + count * 4);
  std::memcpy(bytes.data() + head.size(), weights.data(), count * 4);
  return bytes;
}

// Every weight of a tensor at an odd place has changed.
Case dense() {
  return make_case("dense", floats(9000, 0, "head 1"), floats(9000, 1e-3f, "head 2"), Profile::small, 12);
}

// So many bytes come in at the front that the base has to move out of the way.
Case shifted() {
  const std::string news(9001, 'n');
  return make_case("shifted", floats(5000, 0, "head"), floats(5000, 0, "head" + news), Profile::small, 12);
}

// Words, some exchanged, some gone: shorter than before. In the standard profile, whose state is large.
Case generic() {
  std::mt19937 random(52);
  const auto words = [&](std::size_t count) {
    Bytes bytes;
    for (std::size_t i = 0; i < count; ++i) {
      const Bytes word = to_bytes("word" + std::to_string(random() % 3000) + ' ');
      bytes.insert(bytes.end(), word.begin(), word.end());
    }
    return bytes;
  };
  const Bytes base = words(21'000);
  Bytes target = base;
  for (int i = 0; i < 20; ++i) {
    const Bytes run = words(30);
    std::copy(run.begin(), run.end(), target.begin() + static_cast<std::ptrdiff_t>(random() % (target.size() - 600)));
  }
  target.erase(target.begin() + 300, target.begin() + 5000);
  return make_case("generic", base, target, Profile::standard, 16);
}

class Disk {
 public:
  Disk(const Case& c, bool in_place, std::uint64_t seed) : c_(c), in_place_(in_place), random_(seed) {
    put("model", c.base);
    put("patch", c.patch);
    if (!in_place) put("out", c.base);  // an older file of that name
    EXPECT_TRUE(files_.sync_folder("."));
    start_ = files_.operations();
  }

  Result<Applied> apply() {
    ApplyOptions options;
    options.step_bytes = 10'000;
    return in_place_ ? apply_in_place(files_, "model", "patch", options)
                     : apply_beside(files_, "model", "patch", "out", options);
  }
  void cut_at(std::uint64_t operation) { files_.cut_power_at(operation); }
  void reboot() { files_.reboot(random_); }
  std::uint64_t operations() const { return files_.operations() - start_; }

  // After a cut and a reboot.
  void expect_old_new_or_resumable() {
    const Bytes file = get(in_place_ ? "model" : "out");
    if (!in_place_) {
      EXPECT_TRUE(get("model") == c_.base) << "the base is never touched";
    }
    if (file == c_.base || file == c_.target) return;
    EXPECT_TRUE(in_place_) << "a new file appears whole or not at all";
    EXPECT_TRUE(*files_.exists("model.journal")) << "the file is half written, and nothing says how to go on";
  }
  void expect_new() {
    EXPECT_TRUE(get(in_place_ ? "model" : "out") == c_.target);
    EXPECT_EQ(files_.list(".")->size(), in_place_ ? 2U : 3U) << "nothing is left behind";
  }

 private:
  void put(const std::string& name, const Bytes& bytes) {
    const auto file = files_.open(name, OpenMode::truncate);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write_at(0, bytes));
    ASSERT_TRUE((*file)->sync());
  }
  Bytes get(const std::string& name) { return *read_file(files_, name, 1 << 24); }

  const Case& c_;
  const bool in_place_;
  platform::SimFiles files_;
  platform::SimRandom random_;
  std::uint64_t start_ = 0;
};

struct Counts {
  std::uint64_t whole = 0;     // operations of an application
  std::uint64_t cuts = 0;
  std::uint64_t second_cuts = 0;
};

void cut_everywhere(const Case& c, bool in_place, std::uint64_t stride, std::uint64_t seeds, Counts& counts) {
  {
    Disk disk(c, in_place, 1);
    const auto applied = disk.apply();
    ASSERT_TRUE(applied) << applied.error().context;
    EXPECT_FALSE(applied->resumed);
    disk.expect_new();
    counts.whole = disk.operations();
  }
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    for (std::uint64_t cut = 1 + seed % stride; cut <= counts.whole; cut += stride) {
      SCOPED_TRACE(c.name + (in_place ? " in place" : " beside") + ", cut at operation " + std::to_string(cut) + " of " +
                   std::to_string(counts.whole) + ", seed " + std::to_string(seed));
      Disk disk(c, in_place, seed * 1'000'000 + cut);
      disk.cut_at(cut);
      ASSERT_FALSE(disk.apply());
      disk.reboot();
      ++counts.cuts;
      disk.expect_old_new_or_resumable();
      if ((cut / stride + seed) % 3 == 0) {  // soon again: the recovery is cut, too
        const std::uint64_t before = disk.operations();
        disk.cut_at(1 + (cut * 7 + seed) % 25);
        if (!disk.apply()) {
          ++counts.second_cuts;
          EXPECT_GT(disk.operations(), before);
        }
        disk.reboot();
        disk.expect_old_new_or_resumable();
      }
      const auto applied = disk.apply();
      ASSERT_TRUE(applied) << applied.error().context;
      disk.expect_new();
      if (::testing::Test::HasFailure()) return;
    }
  }
}

void run(const Case& c, bool in_place) {
  Counts counts;
  const std::uint64_t slice = c.name == "generic" ? 5 : 11;
  cut_everywhere(c, in_place, is_exhaustive() ? 1 : slice, is_exhaustive() ? 5 : 1, counts);
  std::printf("%s %s: %llu operations, %llu cuts, %llu of them followed by another\n", c.name.c_str(),
              in_place ? "in place" : "beside", static_cast<unsigned long long>(counts.whole),
              static_cast<unsigned long long>(counts.cuts), static_cast<unsigned long long>(counts.second_cuts));
  EXPECT_GT(counts.cuts, 5U);
}

TEST(PatchPower, DenseInPlace) { run(dense(), true); }
TEST(PatchPower, DenseBeside) { run(dense(), false); }
TEST(PatchPower, ShiftedInPlace) {
  const Case c = shifted();
  EXPECT_EQ(c.shift_blocks, 3U);
  run(c, true);
}
TEST(PatchPower, ShiftedBeside) { run(shifted(), false); }
TEST(PatchPower, GenericInPlace) { run(generic(), true); }
TEST(PatchPower, GenericBeside) { run(generic(), false); }

TEST(PatchPower, AFullDiskIsNoHarm) {
  for (const bool in_place : {true, false}) {
    const Case c = shifted();
    platform::SimFiles files;
    for (const auto& [name, bytes] : {std::pair{"model", &c.base}, std::pair{"patch", &c.patch}})
      ASSERT_TRUE(write_file_atomically(files, name, *bytes));
    std::uint64_t runs = 0;
    // From nearly none to enough: each time a little farther.
    for (std::uint64_t free = 1000;; free += 3000, ++runs) {
      ASSERT_LT(runs, 200U);
      files.set_capacity(c.base.size() + c.patch.size() + free);
      const auto applied = in_place ? apply_in_place(files, "model", "patch") : apply_beside(files, "model", "patch", "out");
      if (applied) break;
      EXPECT_EQ(applied.error().code, Code::no_space) << applied.error().context;
    }
    EXPECT_GT(runs, 2U);
    EXPECT_TRUE(*read_file(files, in_place ? "model" : "out", 1 << 24) == c.target);
  }
}

}  // namespace
}  // namespace hone::delta
