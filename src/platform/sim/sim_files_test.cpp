#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "platform/sim/sim.hpp"

namespace hone::platform {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t kSeeds = 200;

std::string text_of(Files& files, const std::string& path) {
  const auto bytes = read_file(files, path, 1 << 20);
  return bytes ? to_string(*bytes) : "<" + std::string(name_of(bytes.error().code)) + ">";
}

void put(Files& files, const std::string& path, std::string_view text, bool sync = false) {
  auto file = files.open(path, OpenMode::create);
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->write_at(0, as_bytes(text)));
  if (sync) {
    ASSERT_TRUE((*file)->sync());
  }
}

void put_durably(Files& files, const std::string& path, std::string_view text) {
  put(files, path, text, true);
  ASSERT_TRUE(files.sync_folder(folder_of(path)));
}

// Every outcome that `kSeeds` reboots of the same history lead to.
template <class Prepare, class Look>
std::set<std::string> outcomes(Prepare prepare, Look look) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    SimFiles files;
    SimRandom random(seed);
    prepare(files);
    files.reboot(random);
    seen.insert(look(files));
  }
  return seen;
}

TEST(SimFilesReboot, KeepsSyncedBytesUnderASyncedName) {
  EXPECT_THAT(outcomes([](SimFiles& files) { put_durably(files, "a", "hello"); },
                       [](SimFiles& files) { return text_of(files, "a"); }),
              ElementsAre("hello"));
}

TEST(SimFilesReboot, MayLoseANameThatNobodySynced) {
  EXPECT_THAT(outcomes([](SimFiles& files) { put(files, "a", "hello", true); },
                       [](SimFiles& files) { return text_of(files, "a"); }),
              ElementsAre("<not_found>", "hello"));
}

TEST(SimFilesReboot, TearsBytesThatNobodySyncedAtAnyPlace) {
  EXPECT_THAT(outcomes(
                  [](SimFiles& files) {
                    put(files, "a", "abc");
                    ASSERT_TRUE(files.sync_folder("."));
                  },
                  [](SimFiles& files) { return text_of(files, "a"); }),
              ElementsAre("", "a", "ab", "abc"));
}

TEST(SimFilesReboot, KeepsWritesInTheirOrder) {
  const auto seen = outcomes(
      [](SimFiles& files) {
        put_durably(files, "a", "....");
        auto file = files.open("a", OpenMode::write).value();
        ASSERT_TRUE(file->write_at(0, as_bytes("1")));
        ASSERT_TRUE(file->write_at(2, as_bytes("2")));
        ASSERT_TRUE(file->truncate(3));
      },
      [](SimFiles& files) { return text_of(files, "a"); });
  EXPECT_THAT(seen, ElementsAre("....", "1...", "1.2", "1.2."));
}

TEST(SimFilesReboot, NeverTouchesWhatWasSyncedBeforeALaterWrite) {
  EXPECT_THAT(outcomes(
                  [](SimFiles& files) {
                    put_durably(files, "a", "kept");
                    ASSERT_TRUE(files.open("a", OpenMode::write).value()->write_at(4, as_bytes("+")));
                  },
                  [](SimFiles& files) { return text_of(files, "a"); }),
              ElementsAre("kept", "kept+"));
}

TEST(SimFilesReboot, FindsOneOrTheOtherFileAfterARename) {
  const auto old_and_new = [](SimFiles& files) {
    put_durably(files, "a", "old");
    put_durably(files, "b", "new");
    ASSERT_TRUE(files.rename("b", "a"));
  };
  const auto look = [](SimFiles& files) { return text_of(files, "a") + " " + text_of(files, "b"); };
  EXPECT_THAT(outcomes(old_and_new, look), ElementsAre("new <not_found>", "old new"));
  EXPECT_THAT(outcomes(
                  [&](SimFiles& files) {
                    old_and_new(files);
                    ASSERT_TRUE(files.sync_folder("."));
                  },
                  look),
              ElementsAre("new <not_found>"));
}

TEST(SimFilesReboot, MayKeepARenameButNotTheBytesBehindIt) {
  const auto seen = outcomes(
      [](SimFiles& files) {
        put_durably(files, "a", "old");
        put(files, "a.tmp", "new");  // the sync that a careless writer forgets
        ASSERT_TRUE(files.rename("a.tmp", "a"));
      },
      [](SimFiles& files) { return text_of(files, "a"); });
  EXPECT_TRUE(seen.contains("old"));
  EXPECT_TRUE(seen.contains("new"));
  EXPECT_TRUE(seen.contains(""));
}

TEST(SimFilesReboot, MovesAFileBetweenFoldersWholeOrNotAtAll) {
  const auto move = [](SimFiles& files) {
    ASSERT_TRUE(files.make_folders("x"));
    ASSERT_TRUE(files.make_folders("y"));
    ASSERT_TRUE(files.sync_folder("."));
    put_durably(files, "x/f", "1");
    ASSERT_TRUE(files.rename("x/f", "y/f"));
  };
  const auto look = [](SimFiles& files) { return text_of(files, "x/f") + " " + text_of(files, "y/f"); };
  EXPECT_THAT(outcomes(move, look), ElementsAre("1 <not_found>", "<not_found> 1"));
  for (const std::string folder : {"x", "y"}) {
    EXPECT_THAT(outcomes(
                    [&](SimFiles& files) {
                      move(files);
                      ASSERT_TRUE(files.sync_folder(folder));
                    },
                    look),
                ElementsAre("<not_found> 1"));
  }
}

TEST(SimFilesReboot, MayBringBackAFileWhoseRemovalNobodySynced) {
  const auto look = [](SimFiles& files) { return text_of(files, "a"); };
  EXPECT_THAT(outcomes(
                  [](SimFiles& files) {
                    put_durably(files, "a", "1");
                    ASSERT_TRUE(files.remove("a"));
                  },
                  look),
              ElementsAre("1", "<not_found>"));
  EXPECT_THAT(outcomes(
                  [](SimFiles& files) {
                    put_durably(files, "a", "1");
                    ASSERT_TRUE(files.remove("a"));
                    ASSERT_TRUE(files.sync_folder("."));
                  },
                  look),
              ElementsAre("<not_found>"));
}

TEST(SimFilesReboot, LosesAFolderThatItsParentDidNotSync) {
  const auto seen = outcomes(
      [](SimFiles& files) {
        ASSERT_TRUE(files.make_folders("x"));
        put_durably(files, "x/f", "1");
      },
      [](SimFiles& files) { return text_of(files, "x/f"); });
  EXPECT_THAT(seen, ElementsAre("1", "<not_found>"));
}

TEST(SimFilesReboot, IsTheSameForTheSameSeed) {
  const auto history = [](std::uint64_t seed) {
    SimFiles files;
    SimRandom random(seed);
    for (int i = 0; i < 20; ++i) put(files, "f" + std::to_string(i), std::string(50, 'x'));
    files.reboot(random);
    std::string all;
    const auto names = files.list(".").value();
    for (const auto& name : names) all += name + "=" + text_of(files, name) + " ";
    return all;
  };
  EXPECT_EQ(history(5), history(5));
  EXPECT_NE(history(5), history(6));
}

TEST(SimFilesReboot, FailsFilesThatWereOpenBefore) {
  SimFiles files;
  SimRandom random(1);
  put_durably(files, "a", "hello");
  auto file = files.open("a", OpenMode::write).value();
  files.reboot(random);
  EXPECT_EQ(file->size().error().code, Code::unavailable);
  EXPECT_EQ(file->write_at(0, as_bytes("x")).error().code, Code::unavailable);
  EXPECT_EQ(file->sync().error().code, Code::unavailable);
  EXPECT_EQ(text_of(files, "a"), "hello");
}

TEST(SimFilesPower, FailsTheNthOperationAndAllAfterItUntilTheReboot) {
  SimFiles files;
  SimRandom random(1);
  put_durably(files, "a", "1");
  auto file = files.open("a", OpenMode::write).value();
  files.cut_power_at(2);
  EXPECT_TRUE(file->write_at(0, as_bytes("2")));
  EXPECT_EQ(file->sync().error().code, Code::unavailable);
  EXPECT_EQ(file->size().error().code, Code::unavailable);
  EXPECT_EQ(file->write_at(0, as_bytes("3")).error().code, Code::unavailable);
  EXPECT_EQ(files.open("a", OpenMode::read).error().code, Code::unavailable);
  EXPECT_EQ(files.exists("a").error().code, Code::unavailable);
  EXPECT_EQ(files.list(".").error().code, Code::unavailable);
  EXPECT_EQ(files.remove("a").error().code, Code::unavailable);
  files.reboot(random);
  EXPECT_THAT(files.list(".").value(), ElementsAre("a"));
  EXPECT_TRUE(files.remove("a"));
}

TEST(SimFilesPower, CountsWhatChangesTheDiskAndNothingElse) {
  SimFiles files;
  put_durably(files, "a", "1");  // open, write, sync, sync the folder
  EXPECT_EQ(files.operations(), 4U);
  ASSERT_TRUE(files.list("."));
  ASSERT_TRUE(files.exists("a"));
  ASSERT_EQ(text_of(files, "a"), "1");
  EXPECT_EQ(files.operations(), 4U);
}

// The proof that this disk is for: cut at every operation, look at what a reboot finds.
TEST(WriteFileAtomically, LeavesTheOldFileOrTheNewOneWhereverThePowerGoes) {
  std::set<std::string> seen;
  bool finished = false;
  for (std::uint64_t cut = 1; !finished; ++cut) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      SimFiles files;
      SimRandom random(seed);
      ASSERT_TRUE(write_file_atomically(files, "a", as_bytes("old")));
      files.cut_power_at(cut);
      const auto written = write_file_atomically(files, "a", as_bytes("the new one"));
      finished = written.has_value();
      files.reboot(random);
      const std::string found = text_of(files, "a");
      EXPECT_TRUE(!finished || found == "the new one") << found;
      seen.insert(found);
    }
    ASSERT_LT(cut, 20U);
  }
  EXPECT_THAT(seen, ElementsAre("old", "the new one"));
}

TEST(SimFilesSpace, RefusesBytesBeyondTheCapacityAndGivesThemBack) {
  SimFiles files;
  files.set_capacity(10);
  put(files, "a", "12345678");
  auto file = files.open("b", OpenMode::create).value();
  EXPECT_EQ(file->write_at(0, as_bytes("abc")).error().code, Code::no_space);
  EXPECT_EQ(file->size().value(), 2U);  // what fitted
  EXPECT_EQ(file->truncate(100).error().code, Code::no_space);
  EXPECT_TRUE(files.open("a", OpenMode::write).value()->write_at(0, as_bytes("87654321")));
  ASSERT_TRUE(files.remove("a"));
  EXPECT_TRUE(file->write_at(0, as_bytes("abcdefghij")));
}

TEST(SimFilesSpace, LeavesTheOldFileWhenTheNewOneDoesNotFit) {
  SimFiles files;
  files.set_capacity(10);
  ASSERT_TRUE(write_file_atomically(files, "a", as_bytes("old")));
  EXPECT_EQ(write_file_atomically(files, "a", as_bytes("far too long")).error().code, Code::no_space);
  EXPECT_EQ(text_of(files, "a"), "old");
  EXPECT_THAT(files.list(".").value(), ElementsAre("a"));
}

}  // namespace
}  // namespace hone::platform
