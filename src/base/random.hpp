// The randomness port. The real one is the system's generator, fit for keys and tokens; the
// simulated one is seeded, so that a seed reproduces a run.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.hpp"

namespace hone {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;

  [[nodiscard]] std::string hex(std::size_t bytes) {
    Bytes raw(bytes);
    fill(raw);
    return to_hex(raw);
  }
};

}  // namespace hone
