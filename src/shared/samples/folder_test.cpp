#include "shared/samples/folder.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "platform/sim/sim.hpp"
#include "shared/wire/npy.hpp"

namespace hone::samples {
namespace {

class FolderTest : public ::testing::Test {
 protected:
  FolderTest() {
    signal_.shape = {1, 2, 2};
    signal_.dtype = wire::DType::uint8;
    signal_.labels = {"a", "b", "c"};
    EXPECT_TRUE(files_.make_folders("data"));
  }
  void write(const std::string& name, const Bytes& bytes) {
    ASSERT_TRUE(write_file_atomically(files_, "data/" + name, bytes));
  }
  static Bytes npy(std::string_view descr, const std::vector<std::int64_t>& shape, const Bytes& data) {
    Bytes file = wire::npy_header(descr, shape);
    file.insert(file.end(), data.begin(), data.end());
    return file;
  }
  void write_shard(const std::string& suffix, std::uint8_t pixel, std::uint8_t label) {
    write("x" + suffix + ".npy", npy("|u1", {1, 1, 2, 2}, Bytes(4, pixel)));
    write("y" + suffix + ".npy", npy("|u1", {1}, {label}));
  }
  void write_images(const std::string& set) {
    write(set + "-images-idx3-ubyte", {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8});
  }
  void write_labels(const std::string& set, std::uint8_t first, std::uint8_t second) {
    write(set + "-labels-idx1-ubyte", {0, 0, 8, 1, 0, 0, 0, 2, first, second});
  }
  Result<Samples> read() { return read_folder(files_, "data", signal_, options_); }
  std::vector<std::int64_t> labels_of(Part part) {
    options_.part = part;
    const auto samples = read();
    EXPECT_TRUE(samples) << samples.error().context;
    return samples ? samples->y : std::vector<std::int64_t>{};
  }
  void refused(std::initializer_list<std::string_view> parts) {
    const auto samples = read();
    ASSERT_FALSE(samples);
    for (const auto part : parts) EXPECT_NE(samples.error().context.find(part), std::string::npos) << samples.error().context;
  }

  platform::SimFiles files_;
  wire::Signal signal_;
  FolderOptions options_{Part::test, "", true, kFolderBytesMax};
};

using Labels = std::vector<std::int64_t>;

TEST_F(FolderTest, ReadsAPairOfNpyFiles) {
  write("x.npy", npy("|u1", {2, 1, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}));
  write("y.npy", npy("<i8", {2}, {2, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255}));
  const auto samples = read();
  ASSERT_TRUE(samples) << samples.error().context;
  EXPECT_EQ(samples->y, (Labels{2, -1}));
  EXPECT_EQ(samples->x, (Bytes{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(samples->source, "data/x.npy, data/y.npy");
}

TEST_F(FolderTest, ReadsShardsInTheOrderOfTheirNames) {
  write_shard("-0002", 2, 2);
  write_shard("-0001", 1, 1);
  const auto samples = read();
  ASSERT_TRUE(samples) << samples.error().context;
  EXPECT_EQ(samples->y, (Labels{1, 2}));
  EXPECT_EQ(samples->x, (Bytes{1, 1, 1, 1, 2, 2, 2, 2}));
}

TEST_F(FolderTest, TakesThePartThatIsAskedFor) {
  write_shard("_train", 1, 1);
  write_shard("_test", 2, 2);
  EXPECT_EQ(labels_of(Part::training), (Labels{1}));
  EXPECT_EQ(labels_of(Part::test), (Labels{2}));
}

TEST_F(FolderTest, AnIdxPairOfTheOtherPartIsBetterThanNone) {
  write_images("train");
  write_labels("train", 0, 0);
  EXPECT_EQ(labels_of(Part::test), (Labels{0, 0}));
  write_images("t10k");
  write_labels("t10k", 1, 2);
  EXPECT_EQ(labels_of(Part::test), (Labels{1, 2}));
  EXPECT_EQ(labels_of(Part::training), (Labels{0, 0}));
}

TEST_F(FolderTest, ReadsCsvFiles) {
  write("train.csv", to_bytes("p,q,r,s,label\n1,2,3,4,a\n"));
  write("test.csv", to_bytes("5,6,7,8,c\n"));
  EXPECT_EQ(labels_of(Part::training), (Labels{0}));
  EXPECT_EQ(labels_of(Part::test), (Labels{2}));
  write("test.csv", to_bytes("5,6,7,eight,c\n"));
  options_.part = Part::test;
  refused({"data/test.csv: line 1, column 4"});
}

TEST_F(FolderTest, FlatRowsAndDoublesAreTaken) {
  write("x.npy", npy("|u1", {2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}));
  write("y.npy", npy("|u1", {2}, {0, 1}));
  EXPECT_TRUE(read());
  signal_.dtype = wire::DType::float32;
  Bytes doubles(8 * 8);
  const double half = 0.5;
  std::memcpy(doubles.data() + 8, &half, 8);
  write("x.npy", npy("<f8", {2, 4}, doubles));
  const auto samples = read();
  ASSERT_TRUE(samples) << samples.error().context;
  ASSERT_EQ(samples->x.size(), 2 * signal_.sample_bytes());
  float second = 0;
  std::memcpy(&second, samples->x.data() + 4, 4);
  EXPECT_EQ(second, 0.5F);
}

TEST_F(FolderTest, LabelsMayBeAbsentWhereNobodyNeedsThem) {
  write("x.npy", npy("|u1", {2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}));
  refused({"data/y.npy is missing", "data/x.npy"});
  options_.labels_required = false;
  EXPECT_EQ(labels_of(Part::training), (Labels{-1, -1}));
}

TEST_F(FolderTest, SaysWhichFileIsMissing) {
  refused({"data", "x.npy", "train-images-idx3-ubyte", ".csv", "--data"});
  write_images("t10k");
  refused({"t10k-labels-idx1-ubyte is missing"});
  options_.part = Part::training;
  const auto samples = read_folder(files_, "nowhere", signal_, options_);
  ASSERT_FALSE(samples);
  EXPECT_NE(samples.error().context.find("the data folder nowhere"), std::string::npos) << samples.error().context;
}

TEST_F(FolderTest, SaysWhatDoesNotFitTheSignal) {
  write_images("t10k");
  write_labels("t10k", 1, 3);
  refused({"t10k-labels", "label 3 in row 1", "0 to 2"});
  write_labels("t10k", 1, 2);
  signal_.shape = {1, 3, 3};
  refused({"t10k-images", "[2, 2, 2]", "[1, 3, 3]"});
  signal_.shape = {1, 2, 2};
  signal_.dtype = wire::DType::float32;
  refused({"t10k-images", "|u1", "float32"});
}

TEST_F(FolderTest, SaysWhenTheFilesHaveDifferentLengths) {
  write("x.npy", npy("|u1", {2, 1, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}));
  write("y.npy", npy("|u1", {1}, {2}));
  refused({"2 rows", "has 1"});
}

TEST_F(FolderTest, KeepsWithinItsBound) {
  write_shard("-1", 1, 1);
  write_shard("-2", 1, 1);
  options_.bytes_max = 135;  // enough for the first shard
  refused({"data/", "at most"});
}

}  // namespace
}  // namespace hone::samples
