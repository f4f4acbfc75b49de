#include "cloud/gate/leak.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <random>

namespace hone::cloud {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

Bytes noise(std::size_t rows, std::size_t width, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes bytes(rows * width);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random() % 256);
  return bytes;
}

const wire::Signal kImages{{1, 8, 8}, wire::DType::uint8, 1.0, {}};

TEST(LeakCheck, FindsRowsThatTrainingHoldsNearly) {
  const Bytes holdout = noise(300, 64, 1);
  Bytes training = noise(500, 64, 2);
  for (const std::size_t row : {7u, 100u, 299u}) {
    Bytes copy(holdout.begin() + static_cast<std::ptrdiff_t>(row * 64),
               holdout.begin() + static_cast<std::ptrdiff_t>((row + 1) * 64));
    copy[5] = static_cast<std::uint8_t>(copy[5] ^ 4);  // one pixel, a little
    training.insert(training.begin() + static_cast<std::ptrdiff_t>(row * 64), copy.begin(), copy.end());
  }
  LeakCheck check(kImages);
  check.add_holdout(ByteView(holdout).first(64 * 100));
  check.add_holdout(ByteView(holdout).subspan(64 * 100));
  check.prepare();
  check.add_training(training);
  ASSERT_EQ(check.twins().size(), 300u);
  EXPECT_EQ(check.rows_checked(), 300);
  for (std::size_t row = 0; row < 300; ++row)
    EXPECT_EQ(check.twins()[row] != 0, row == 7 || row == 100 || row == 299) << row;
}

TEST(LeakCheck, FindsExactlyWhatComparingAllPairsFinds) {
  std::mt19937_64 random(3);
  std::normal_distribution<float> normal;
  const wire::Signal signal{{3}, wire::DType::float32, 1.0, {}};
  const auto draw = [&](std::size_t rows) {
    std::vector<float> values(rows * 3);
    for (float& value : values) value = normal(random);
    return values;
  };
  const auto holdout = draw(400), training = draw(2000);
  const auto bytes = [](const std::vector<float>& values) {
    return ByteView(reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * 4);
  };
  LeakCheck check(signal);
  check.add_holdout(bytes(holdout));
  check.prepare();
  check.add_training(bytes(training));
  int twins = 0;
  for (std::size_t i = 0; i < 400; ++i) {
    double nearest = 1e30;
    for (std::size_t j = 0; j < 2000; ++j) {
      double sum = 0;
      for (std::size_t p = 0; p < 3; ++p) {
        const double difference = static_cast<double>(holdout[i * 3 + p]) - static_cast<double>(training[j * 3 + p]);
        sum += difference * difference;
      }
      nearest = std::min(nearest, std::sqrt(sum));
    }
    EXPECT_EQ(check.twins()[i] != 0, nearest <= check.distance()) << i;
    twins += check.twins()[i];
  }
  EXPECT_GT(twins, 0);
  EXPECT_LT(twins, 400);
}

TEST(LeakCheck, SaysNothingWhereThereIsNothingToCompare) {
  LeakCheck empty(kImages);
  empty.prepare();
  empty.add_training(noise(3, 64, 4));
  EXPECT_TRUE(empty.twins().empty());
  LeakCheck equal(kImages);  // rows that are all the same have no typical distance
  equal.add_holdout(Bytes(64 * 3, 9));
  equal.prepare();
  equal.add_training(Bytes(64, 9));
  EXPECT_THAT(equal.twins(), ElementsAre(0, 0, 0));
}

TEST(LeakCheck, ReadsEveryDType) {
  for (const auto dtype : {wire::DType::int8, wire::DType::int16, wire::DType::int32, wire::DType::float32}) {
    const wire::Signal signal{{4}, dtype, 1.0, {}};
    Bytes holdout = noise(50, signal.sample_bytes(), 5);
    if (dtype == wire::DType::float32)
      for (std::size_t i = 0; i < holdout.size(); i += 4) {
        holdout[i + 3] = 66;  // numbers between 32 and 64, and one that is none
        holdout[i + 2] &= 127;
      }
    LeakCheck check(signal);
    check.add_holdout(holdout);
    check.prepare();
    EXPECT_GT(check.distance(), 0);
    check.add_training(holdout);
    EXPECT_THAT(check.twins(), Each(1));
  }
}

}  // namespace
}  // namespace hone::cloud
