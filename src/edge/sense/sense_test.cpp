#include "edge/sense/sense.hpp"

#include <gtest/gtest.h>

namespace hone::edge {
namespace {

TEST(Sense, TakesWhatFitsTheSignalAndNamesWhatDoesNot) {
  wire::Signal signal;
  signal.shape = {2};
  signal.dtype = wire::DType::uint8;
  signal.labels = {"no", "yes"};
  const Bytes two{1, 2}, three{1, 2, 3};
  EXPECT_TRUE(check({two, -1, {}}, signal));
  EXPECT_TRUE(check({two, 1, {}}, signal));
  EXPECT_EQ(check({three, 1, {}}, signal).error().context, "a sample of this pipeline is 2 bytes; got 3");
  EXPECT_EQ(check({two, 2, {}}, signal).error().code, Code::invalid);
  EXPECT_EQ(check({two, -2, {}}, signal).error().code, Code::invalid);
  signal.labels.clear();
  EXPECT_EQ(check({two, 0, {}}, signal).error().context, "this pipeline has no labels; pass -1");
}

TEST(Sense, BoundsWhatItTakesBeforeTheSignalIsKnown) {
  EXPECT_TRUE(check({Bytes(784), 7, {}}));
  EXPECT_EQ(check({Bytes{}, 7, {}}).error().code, Code::invalid);
  EXPECT_EQ(check({Bytes(1), std::int64_t{1} << 40, {}}).error().code, Code::invalid);
}

}  // namespace
}  // namespace hone::edge
