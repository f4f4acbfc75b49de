// Mixing of several predictions of a bit in the logistic domain, with weights that learn (Mahoney,
// "Adaptive weighing of context models", 2005). Integers only: tables stand for the logarithms.
#pragma once

#include <stdint.h>

#include "shared/delta/format/counter.hpp"

namespace hone::delta {

inline constexpr uint32_t kMixed = 4;  // predictions
inline constexpr int32_t kFirstWeight = 20000;  // of 65536
inline constexpr int32_t kWeightMax = 1 << 20;  // and its negative

// 65536 / (1 + exp(-x / 256)) at x = -2048, -1920 .. 2048.
inline constexpr uint16_t kSquash[33] = {
    22, 36, 60, 98, 162, 267, 439, 720, 1179, 1921, 3108, 4971, 7812, 11955, 17625, 24743, 32768, 40793, 47911, 53581, 57724, 60565, 62428, 63615, 64357, 64816, 65097, 65269, 65374, 65438, 65476, 65500, 65514};

// x in -2047..2047 to a probability in 65536.
[[nodiscard]] constexpr uint32_t squash(int32_t x) {
  if (x > 2047) x = 2047;
  if (x < -2047) x = -2047;
  const uint32_t at = static_cast<uint32_t>(x + 2048);
  const uint32_t low = kSquash[at >> 7];
  const uint32_t high = kSquash[(at >> 7) + 1];
  return low + ((high - low) * (at & 127u) >> 7);
}

// The inverse, for probabilities in 4096.
struct Stretch {
  int16_t at[4096];
  constexpr Stretch() : at{} {
    uint32_t next = 0;
    for (int32_t x = -2047; x <= 2047; ++x) {
      const uint32_t p = squash(x) >> 4;
      for (; next <= p; ++next) at[next] = static_cast<int16_t>(x);
    }
    for (; next < 4096; ++next) at[next] = 2047;
  }
};
inline constexpr Stretch kStretch{};

// Weights lie among the counters: a counter's first state stands for the first weight.
[[nodiscard]] inline int32_t weight_of(const Counter& slot) {
  return static_cast<int32_t>(slot.state - kEvenCounter.state) + kFirstWeight;
}
inline void set_weight(Counter& slot, int32_t weight) {
  slot.state = kEvenCounter.state + static_cast<uint32_t>(weight - kFirstWeight);
}

struct Mix {
  int32_t stretched[kMixed];
  uint32_t p16;
};
// `inputs` may hold null: no opinion.
[[nodiscard]] inline Mix mix(const Counter* const* inputs, const Counter* weights) {
  Mix mixed{};
  int64_t sum = 0;
  for (uint32_t i = 0; i < kMixed; ++i) {
    mixed.stretched[i] = inputs[i] == nullptr ? 0 : kStretch.at[inputs[i]->p16() >> 4];
    sum += static_cast<int64_t>(weight_of(weights[i])) * mixed.stretched[i];
  }
  sum >>= 16;
  const uint32_t p = squash(sum > 2047 ? 2047 : sum < -2047 ? -2047 : static_cast<int32_t>(sum));
  mixed.p16 = p | 1u;
  return mixed;
}
inline void learn(const Mix& mixed, Counter* weights, uint32_t bit) {
  const int32_t error = ((bit != 0 ? 65535 : 0) - static_cast<int32_t>(mixed.p16)) * 7 >> 4;
  for (uint32_t i = 0; i < kMixed; ++i) {
    int32_t weight = weight_of(weights[i]) + ((mixed.stretched[i] * error + 0x8000) >> 16);
    if (weight > kWeightMax) weight = kWeightMax;
    if (weight < -kWeightMax) weight = -kWeightMax;
    set_weight(weights[i], weight);
  }
}

}  // namespace hone::delta
