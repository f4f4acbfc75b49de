// What a trainer knows of a tensor's update and no one could find from the files: its factors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hone::delta {

// target[i][j] = base[i][j] + k * 2^-scale with k = (sum over r of u[i][r] * v[r][j]) >> shift, in one
// fp32 addition. Where this does not hold, the encoder corrects; where it does not pay, it is not used.
struct LowRankHint {
  std::string tensor;           // its name in the target
  std::uint32_t rows = 0;
  std::uint32_t columns = 0;    // rows * columns elements
  std::uint32_t rank = 0;       // 1 .. 32
  std::uint32_t shift = 0;      // 0 .. 31
  std::int32_t scale = 0;       // -104 .. 149
  std::vector<std::int16_t> u;  // rows * rank
  std::vector<std::int16_t> v;  // rank * columns
};

}  // namespace hone::delta
