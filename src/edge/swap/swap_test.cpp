#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cmath>
#include <thread>
#include <vector>

#include "edge/swap/live_model.hpp"
#include "edge/swap/slot.hpp"

namespace hone::edge {
namespace {

// Counts itself; poisons itself when freed, so that a reader of a freed one is noticed.
struct Counted {
  static inline std::atomic<int> alive{0};
  static inline std::atomic<int> most{0};
  static constexpr int kPoison = -1;
  explicit Counted(int v) : value(v), twin(v) {
    const int now = ++alive;
    int seen = most.load();
    while (now > seen && !most.compare_exchange_weak(seen, now)) {
    }
  }
  ~Counted() {
    value = kPoison;
    --alive;
  }
  std::atomic<int> value;
  std::atomic<int> twin;
};

TEST(Slot, GivesNothingBeforeTheFirstPublish) {
  Slot<Counted> slot;
  EXPECT_FALSE(slot.acquire());
  EXPECT_TRUE(slot.has_room());
  EXPECT_EQ(slot.models_in_memory(), 0);
}

TEST(Slot, KeepsTheOldModelForWhoHoldsIt) {
  Slot<Counted> slot;
  ASSERT_TRUE(slot.publish(std::make_unique<Counted>(1)));
  auto old = slot.acquire();
  ASSERT_TRUE(slot.publish(std::make_unique<Counted>(2)));
  EXPECT_EQ(old->value, 1);
  EXPECT_EQ(slot.acquire()->value, 2);
  EXPECT_FALSE(slot.collect());
  EXPECT_FALSE(slot.has_room()) << "two are in memory";
  EXPECT_EQ(slot.publish(std::make_unique<Counted>(3)).error().code, Code::unavailable);
  EXPECT_EQ(slot.acquire()->value, 2);
  old = {};
  EXPECT_TRUE(slot.collect());
  EXPECT_EQ(slot.models_in_memory(), 1);
  EXPECT_TRUE(slot.publish(std::make_unique<Counted>(3)));
  EXPECT_EQ(slot.acquire()->value, 3);
}

TEST(Slot, TakesTheModelAwayForNewReadersOnly) {
  Slot<Counted> slot;
  ASSERT_TRUE(slot.publish(std::make_unique<Counted>(1)));
  auto held = slot.acquire();
  slot.withdraw();
  EXPECT_FALSE(slot.acquire());
  EXPECT_EQ(held->value, 1);
  EXPECT_TRUE(slot.has_room()) << "the other cell is empty";
  ASSERT_TRUE(slot.publish(std::make_unique<Counted>(2)));
  EXPECT_EQ(slot.models_in_memory(), 2);
  held = {};
  EXPECT_TRUE(slot.collect());
  EXPECT_EQ(slot.acquire()->value, 2);
}

TEST(Slot, NeverShowsAFreedModelAndNeverHoldsThree) {
  Counted::most = 0;
  Slot<Counted> slot;
  constexpr int kPublishes = 3000, kReaders = 3;
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0}, backwards{0};
  std::atomic<std::uint64_t> reads{0};
  std::vector<std::thread> readers;
  for (int r = 0; r < kReaders; ++r) {
    readers.emplace_back([&] {
      int newest = 0;
      while (!done) {
        const auto handle = slot.acquire();
        if (!handle) continue;
        const int first = handle->value;
        if (first < newest) ++backwards;
        newest = first;
        for (int i = 0; i < 20; ++i) {
          if (handle->value != first || handle->twin != first) ++wrong;
        }
        ++reads;
      }
    });
  }
  int published = 0;
  while (published < kPublishes) {
    if (!slot.has_room()) {
      std::this_thread::yield();
      continue;
    }
    ASSERT_TRUE(slot.publish(std::make_unique<Counted>(published + 1)));
    ++published;
  }
  done = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(backwards, 0) << "a reader never sees an older model after a newer one";
  EXPECT_LE(Counted::most, 2);
  slot.withdraw();
  slot.collect();
  EXPECT_EQ(Counted::alive, 0);
}

class FixedRunner : public model::Runner {
 public:
  explicit FixedRunner(float answer) : answer_(answer) {}
  [[nodiscard]] std::int64_t width() const override { return 2; }
  [[nodiscard]] Result<> run(ByteView, std::int64_t rows, std::span<float> outputs, std::span<float>) const override {
    for (std::int64_t i = 0; i < rows * 2; ++i) outputs[static_cast<std::size_t>(i)] = answer_;
    return {};
  }

 private:
  float answer_;
};

TEST(SelfTest, AllowsTheToleranceAndNoMore) {
  wire::SelfTest test;
  test.rows = 2;
  test.inputs = {1, 2};
  test.outputs = {1.0F, 1.0F, 1.0F, 1.0F};
  test.tolerance = 0.125F;
  EXPECT_TRUE(self_test(FixedRunner(1.0F), test));
  EXPECT_TRUE(self_test(FixedRunner(1.125F), test));
  EXPECT_EQ(self_test(FixedRunner(1.25F), test).error().code, Code::damaged);
  EXPECT_EQ(self_test(FixedRunner(std::nanf("")), test).error().code, Code::damaged);
  test.outputs.pop_back();
  EXPECT_EQ(self_test(FixedRunner(1.0F), test).error().code, Code::damaged);
  test.rows = 0;
  EXPECT_EQ(self_test(FixedRunner(1.0F), test).error().code, Code::damaged) << "an empty test proves nothing";
}

}  // namespace
}  // namespace hone::edge
