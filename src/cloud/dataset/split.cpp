#include "cloud/dataset/split.hpp"

#include <cmath>

#include "base/hash.hpp"

namespace hone::cloud {

Part part_of(const SplitRule& rule, const Row& row) {
  // The prefix keeps the choice apart from any other use of a sample's hash.
  Sha256Stream stream;
  stream.update(as_bytes("hone.holdout.1\n"));
  stream.update(row.x);
  const Sha256 hash = stream.finish();
  std::uint64_t top = 0;
  for (std::size_t i = 0; i < 8; ++i) top = top << 8 | hash.bytes[i];
  // 53 bits, so that the comparison is exact on every machine.
  const double place = std::ldexp(static_cast<double>(top >> 11), -53);
  return place < rule.holdout ? Part::holdout : Part::training;
}

}  // namespace hone::cloud
