#include "eval_data.hpp"

#include <gtest/gtest.h>

#include "platform/sim/sim.hpp"
#include "shared/wire/npy.hpp"

namespace hone::app {
namespace {

class EvalDataTest : public ::testing::Test {
 protected:
  EvalDataTest() {
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
  void write_images(const std::string& set) {
    write(set + "-images-idx3-ubyte", {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8});
  }
  void write_labels(const std::string& set, std::uint8_t first, std::uint8_t second) {
    write(set + "-labels-idx1-ubyte", {0, 0, 8, 1, 0, 0, 0, 2, first, second});
  }
  Result<EvalData> load() { return load_eval_data(files_, "data", signal_); }
  void refused(std::initializer_list<std::string_view> parts) {
    const auto data = load();
    ASSERT_FALSE(data);
    for (const auto part : parts) EXPECT_NE(data.error().context.find(part), std::string::npos) << data.error().context;
  }

  platform::SimFiles files_;
  wire::Signal signal_;
};

TEST_F(EvalDataTest, ReadsNpyShards) {
  write("x.npy", npy("|u1", {2, 1, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}));
  write("y.npy", npy("<i8", {2}, {2, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255}));
  const auto data = load();
  ASSERT_TRUE(data) << data.error().context;
  EXPECT_EQ(data->y, (std::vector<std::int64_t>{2, -1}));
  EXPECT_EQ(data->x, (Bytes{1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST_F(EvalDataTest, ReadsAnIdxPairAndPrefersTheTestSet) {
  write_images("train");
  write_labels("train", 0, 0);
  write_images("t10k");
  write_labels("t10k", 1, 2);
  const auto data = load();
  ASSERT_TRUE(data) << data.error().context;
  EXPECT_EQ(data->y, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(data->rows(), 2u);
}

TEST_F(EvalDataTest, SaysWhichFileIsMissing) {
  refused({"data", "x.npy", "t10k-images-idx3-ubyte", "--data"});
  write_images("t10k");
  refused({"t10k-labels-idx1-ubyte is missing"});
}

TEST_F(EvalDataTest, SaysWhatDoesNotFitTheSignal) {
  write_images("t10k");
  write_labels("t10k", 1, 3);
  refused({"t10k-labels", "label 3 in row 1"});
  write_labels("t10k", 1, 2);
  signal_.shape = {1, 3, 3};
  refused({"t10k-images", "[2, 2, 2]", "[1, 3, 3]"});
  signal_.shape = {1, 2, 2};
  signal_.dtype = wire::DType::float32;
  refused({"t10k-images", "|u1", "float32"});
  signal_.labels.clear();
  refused({"no labels"});
}

TEST_F(EvalDataTest, SaysWhenTheFilesHaveDifferentLengths) {
  write("x.npy", npy("|u1", {2, 1, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}));
  write("y.npy", npy("|u1", {1}, {2}));
  refused({"2 rows", "has 1"});
}

}  // namespace
}  // namespace hone::app
