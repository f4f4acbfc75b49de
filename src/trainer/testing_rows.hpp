// Small seeded problems for the trainer's tests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shared/pipeline/pipeline.hpp"
#include "trainer/rows.hpp"

namespace hone::trainer::testing {

inline Layer dense(std::int64_t width) {
  Layer layer;
  layer.kind = Layer::Kind::dense;
  layer.channels = width;
  return layer;
}
inline Layer relu() {
  return {};
}
inline Layer conv(std::int64_t channels, std::int64_t kernel) {
  Layer layer;
  layer.kind = Layer::Kind::conv;
  layer.channels = channels;
  layer.kernel_h = layer.kernel_w = kernel;
  return layer;
}
inline Layer maxpool(std::int64_t window) {
  Layer layer;
  layer.kind = Layer::Kind::maxpool;
  layer.pool = window;
  return layer;
}
inline Layer dropout(double rate) {
  Layer layer;
  layer.kind = Layer::Kind::dropout;
  layer.rate = rate;
  return layer;
}

inline wire::Signal signal(std::vector<std::int64_t> shape, std::size_t labels) {
  wire::Signal result;
  result.shape = std::move(shape);
  result.dtype = wire::DType::uint8;
  result.scale = 1.0 / 255.0;
  for (std::size_t i = 0; i < labels; ++i) result.labels.push_back(std::string(1, static_cast<char>('a' + i)));
  return result;
}

// Uniform bytes from a 64-bit linear congruential generator (Knuth's constants).
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(seed) {}
  std::uint8_t operator()() {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::uint8_t>(state_ >> 56);
  }

 private:
  std::uint64_t state_;
};

// Eight noisy bytes; the label says in which of four pairs the bright ones stand.
inline Rows four_pairs(std::size_t count, std::uint64_t seed) {
  Rows rows;
  rows.signal = signal({8}, 4);
  Draw draw(seed);
  for (std::size_t row = 0; row < count; ++row) {
    const std::size_t label = draw() % 4;
    for (std::size_t i = 0; i < 8; ++i)
      rows.x.push_back(static_cast<std::uint8_t>(draw() / 3 + (i / 2 == label ? 100 : 0)));
    rows.y.push_back(static_cast<std::int64_t>(label));
  }
  return rows;
}

}  // namespace hone::trainer::testing
