// What every Files does, asked of each platform in turn.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <thread>

#include "platform/posix/posix.hpp"
#include "platform/sim/sim.hpp"

namespace hone::platform {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Disk {
 public:
  virtual ~Disk() = default;
  virtual Files& files() = 0;
  virtual std::string folder() = 0;
};

class PosixDisk : public Disk {
 public:
  PosixDisk() : folder_((std::filesystem::temp_directory_path() / "hone-files-XXXXXX").string()) {
    if (::mkdtemp(folder_.data()) == nullptr) std::abort();
  }
  ~PosixDisk() override { std::filesystem::remove_all(folder_); }
  Files& files() override { return *files_; }
  std::string folder() override { return folder_; }

 private:
  std::string folder_;
  std::unique_ptr<Files> files_ = make_posix_files();
};

class SimulatedDisk : public Disk {
 public:
  SimulatedDisk() {
    if (!files_.make_folders("work")) std::abort();
  }
  Files& files() override { return files_; }
  std::string folder() override { return "work"; }

 private:
  SimFiles files_;
};

template <class D>
class FilesContract : public ::testing::Test {
 protected:
  std::string at(const std::string& name) { return disk.folder() + "/" + name; }
  void put(const std::string& name, std::string_view text) {
    auto file = files.open(at(name), OpenMode::truncate);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write_at(0, as_bytes(text)));
  }
  std::string get(const std::string& name) {
    const auto bytes = read_file(files, at(name), 1 << 20);
    return bytes ? to_string(*bytes) : "<" + std::string(name_of(bytes.error().code)) + ">";
  }

  D disk;
  Files& files = disk.files();
};

using Platforms = ::testing::Types<PosixDisk, SimulatedDisk>;
TYPED_TEST_SUITE(FilesContract, Platforms);

TYPED_TEST(FilesContract, ReadsBackWhatWasWritten) {
  auto file = this->files.open(this->at("a"), OpenMode::create).value();
  ASSERT_TRUE(file->write_at(0, as_bytes("hello")));
  ASSERT_TRUE(file->write_at(3, as_bytes("p!")));
  EXPECT_EQ(file->size().value(), 5U);
  Bytes out(3);
  EXPECT_EQ(file->read_at(1, out).value(), 3U);
  EXPECT_EQ(as_text(out), "elp");
  EXPECT_TRUE(file->sync());
  EXPECT_TRUE(this->files.sync_folder(this->disk.folder()));
  EXPECT_EQ(this->get("a"), "help!");
}

TYPED_TEST(FilesContract, ReadsFewerBytesAtTheEndOnly) {
  this->put("a", "hello");
  auto file = this->files.open(this->at("a"), OpenMode::read).value();
  Bytes out(10);
  EXPECT_EQ(file->read_at(0, out).value(), 5U);
  EXPECT_EQ(file->read_at(4, out).value(), 1U);
  EXPECT_EQ(file->read_at(5, out).value(), 0U);
  EXPECT_EQ(file->read_at(std::uint64_t{1} << 40, out).value(), 0U);
}

TYPED_TEST(FilesContract, FillsAGapWithZeros) {
  auto file = this->files.open(this->at("a"), OpenMode::create).value();
  ASSERT_TRUE(file->write_at(2, as_bytes("x")));
  ASSERT_TRUE(file->truncate(5));
  EXPECT_EQ(this->get("a"), std::string("\0\0x\0\0", 5));
  ASSERT_TRUE(file->truncate(1));
  EXPECT_EQ(this->get("a"), std::string("\0", 1));
}

TYPED_TEST(FilesContract, OpensAsTheModeSays) {
  EXPECT_EQ(this->files.open(this->at("a"), OpenMode::read).error().code, Code::not_found);
  EXPECT_EQ(this->files.open(this->at("a"), OpenMode::write).error().code, Code::not_found);
  EXPECT_EQ(this->files.open(this->at("no/a"), OpenMode::create).error().code, Code::not_found);
  this->put("a", "hello");
  EXPECT_EQ(this->files.open(this->at("a"), OpenMode::create).value()->size().value(), 5U);
  EXPECT_EQ(this->files.open(this->at("a"), OpenMode::write).value()->size().value(), 5U);
  EXPECT_EQ(this->files.open(this->at("a"), OpenMode::truncate).value()->size().value(), 0U);
  this->put("a", "hello");
  EXPECT_EQ(this->files.open(this->at("a"), OpenMode::truncate_private).value()->size().value(), 0U);
  EXPECT_TRUE(this->files.open(this->at("b"), OpenMode::truncate_private).value()->write_at(0, as_bytes("x")));
}

TYPED_TEST(FilesContract, RefusesToWriteThroughAFileOpenedToBeRead) {
  this->put("a", "hello");
  auto file = this->files.open(this->at("a"), OpenMode::read).value();
  EXPECT_EQ(file->write_at(0, as_bytes("x")).error().code, Code::invalid);
  EXPECT_EQ(file->truncate(0).error().code, Code::invalid);
  EXPECT_EQ(this->get("a"), "hello");
}

TYPED_TEST(FilesContract, TakesAFolderForNoFileAndAFileForNoFolder) {
  ASSERT_TRUE(this->files.make_folders(this->at("dir")));
  this->put("file", "x");
  for (const OpenMode mode : {OpenMode::read, OpenMode::write, OpenMode::create, OpenMode::truncate}) {
    EXPECT_EQ(this->files.open(this->at("dir"), mode).error().code, Code::invalid);
  }
  EXPECT_EQ(this->files.open(this->at("file/a"), OpenMode::create).error().code, Code::invalid);
  EXPECT_EQ(this->files.make_folders(this->at("file")).error().code, Code::invalid);
  EXPECT_EQ(this->files.make_folders(this->at("file/b")).error().code, Code::invalid);
  EXPECT_EQ(this->files.remove(this->at("dir")).error().code, Code::invalid);
  EXPECT_EQ(this->files.list(this->at("file")).error().code, Code::invalid);
  EXPECT_EQ(this->files.rename(this->at("file"), this->at("dir")).error().code, Code::invalid);
  EXPECT_EQ(this->files.rename(this->at("dir"), this->at("file")).error().code, Code::invalid);
}

TYPED_TEST(FilesContract, RefusesPathsThatNameNothing) {
  EXPECT_EQ(this->files.open("", OpenMode::create).error().code, Code::invalid);
  EXPECT_EQ(this->files.open(this->at(std::string("a\0b", 3)), OpenMode::create).error().code, Code::invalid);
  EXPECT_EQ(this->files.remove("").error().code, Code::invalid);
  EXPECT_THAT(this->files.list(this->disk.folder()).value(), IsEmpty());
}

TYPED_TEST(FilesContract, MakesFoldersThatMayExistAlready) {
  ASSERT_TRUE(this->files.make_folders(this->at("x/y//z/")));
  ASSERT_TRUE(this->files.make_folders(this->at("x/y")));
  this->put("x/y/z/f", "1");
  EXPECT_THAT(this->files.list(this->at("x/y")).value(), ElementsAre("z"));
  EXPECT_EQ(this->get("x/y/z/f"), "1");
}

TYPED_TEST(FilesContract, ListsNamesInOrder) {
  this->put("b", "");
  this->put("a", "");
  this->put("B", "");
  ASSERT_TRUE(this->files.make_folders(this->at("c")));
  EXPECT_THAT(this->files.list(this->disk.folder()).value(), ElementsAre("B", "a", "b", "c"));
  EXPECT_EQ(this->files.list(this->at("no")).error().code, Code::not_found);
}

TYPED_TEST(FilesContract, RenamesOverWhatIsThere) {
  this->put("a", "new");
  this->put("b", "old");
  ASSERT_TRUE(this->files.rename(this->at("a"), this->at("b")));
  EXPECT_EQ(this->get("b"), "new");
  EXPECT_FALSE(this->files.exists(this->at("a")).value());
  EXPECT_EQ(this->files.rename(this->at("a"), this->at("b")).error().code, Code::not_found);
  EXPECT_EQ(this->files.rename(this->at("b"), this->at("no/b")).error().code, Code::not_found);
  ASSERT_TRUE(this->files.rename(this->at("b"), this->at("b")));
  EXPECT_EQ(this->get("b"), "new");
}

TYPED_TEST(FilesContract, RenamesFoldersWithWhatTheyHold) {
  ASSERT_TRUE(this->files.make_folders(this->at("x/in")));
  this->put("x/f", "1");
  ASSERT_TRUE(this->files.rename(this->at("x"), this->at("y")));
  EXPECT_EQ(this->get("y/f"), "1");
  EXPECT_EQ(this->files.rename(this->at("y"), this->at("y/in/y")).error().code, Code::invalid);
  ASSERT_TRUE(this->files.make_folders(this->at("z")));
  EXPECT_EQ(this->files.rename(this->at("z"), this->at("y")).error().code, Code::invalid);
}

TYPED_TEST(FilesContract, RemovesAFileAndMindsNoAbsentOne) {
  this->put("a", "1");
  EXPECT_TRUE(this->files.exists(this->at("a")).value());
  EXPECT_TRUE(this->files.remove(this->at("a")));
  EXPECT_TRUE(this->files.remove(this->at("a")));
  EXPECT_TRUE(this->files.remove(this->at("no/a")));
  EXPECT_FALSE(this->files.exists(this->at("a")).value());
  EXPECT_FALSE(this->files.exists(this->at("no/a")).value());
}

TYPED_TEST(FilesContract, KeepsARemovedFileReadableForThoseWhoHaveItOpen) {
  this->put("a", "1");
  auto file = this->files.open(this->at("a"), OpenMode::read).value();
  ASSERT_TRUE(this->files.remove(this->at("a")));
  Bytes out(1);
  EXPECT_EQ(file->read_at(0, out).value(), 1U);
  EXPECT_EQ(as_text(out), "1");
}

TYPED_TEST(FilesContract, SyncsOnlyFoldersThatExist) {
  EXPECT_EQ(this->files.sync_folder(this->at("no")).error().code, Code::not_found);
  this->put("a", "");
  EXPECT_EQ(this->files.sync_folder(this->at("a")).error().code, Code::invalid);
}

TYPED_TEST(FilesContract, ReadFileIsBounded) {
  this->put("a", "12345");
  EXPECT_EQ(to_string(read_file(this->files, this->at("a"), 5).value()), "12345");
  EXPECT_EQ(read_file(this->files, this->at("a"), 4).error().code, Code::invalid);
  EXPECT_EQ(read_file(this->files, this->at("b"), 4).error().code, Code::not_found);
}

TYPED_TEST(FilesContract, WritesAtomicallyAndLeavesNoTemporary) {
  ASSERT_TRUE(write_file_atomically(this->files, this->at("a"), as_bytes("one")));
  ASSERT_TRUE(write_file_atomically(this->files, this->at("a"), as_bytes("2")));
  EXPECT_EQ(this->get("a"), "2");
  EXPECT_THAT(this->files.list(this->disk.folder()).value(), ElementsAre("a"));
  EXPECT_EQ(write_file_atomically(this->files, this->at("no/a"), as_bytes("x")).error().code, Code::not_found);
}

TYPED_TEST(FilesContract, WritersOfOneNameInTwoThreadsLeaveOneWholeFile) {
  const std::string one(50000, '1');
  const std::string two(70000, '2');
  const auto write_often = [this](const std::string& text) {
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(write_file_atomically(this->files, this->at("a"), as_bytes(text)));
  };
  std::thread other([&] { write_often(one); });
  write_often(two);
  other.join();
  const std::string found = this->get("a");
  EXPECT_TRUE(found == one || found == two);
}

TEST(FolderOf, CutsTheLastName) {
  EXPECT_EQ(folder_of("a/b/c"), "a/b");
  EXPECT_EQ(folder_of("c"), ".");
  EXPECT_EQ(folder_of("/c"), "/");
}

TEST(PosixFiles, SaysWhenTheDiskIsFull) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "this system has no /dev/full";
  const auto files = make_posix_files();
  auto file = files->open("/dev/full", OpenMode::write);
  if (!file) GTEST_SKIP() << file.error().context;
  const auto written = (*file)->write_at(0, as_bytes("x"));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::no_space);
  EXPECT_THAT(written.error().context, ::testing::HasSubstr("/dev/full"));
}

TEST(PosixFiles, LetsNobodyElseReadASecret) {
  PosixDisk disk;
  const std::string path = disk.folder() + "/key";
  ASSERT_TRUE(write_file_atomically(disk.files(), path, as_bytes("open to all")));
  ASSERT_TRUE(write_private_file_atomically(disk.files(), path, as_bytes("secret")));
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(path).permissions(), perms::owner_read | perms::owner_write);
  EXPECT_EQ(to_string(read_file(disk.files(), path, 100).value()), "secret");
}

TEST(SystemRandom, DrawsAnewEachTime) {
  const auto random = make_system_random();
  EXPECT_EQ(random->hex(16).size(), 32U);
  EXPECT_NE(random->hex(16), random->hex(16));
}

}  // namespace
}  // namespace hone::platform
