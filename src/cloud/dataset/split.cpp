#include "cloud/dataset/split.hpp"

#include "base/hash.hpp"

namespace hone::cloud {

namespace {

Part part(bool holdout) {
  return holdout ? Part::holdout : Part::training;
}

}  // namespace

std::optional<Part> part_of(const SplitRule& rule, const Row& row) {
  if (rule.blocks) {
    const auto holdout = wire::set_apart(*rule.blocks, "hone.holdout.block.1", row.device, row.t_ms, rule.holdout);
    return holdout ? std::optional(part(*holdout)) : std::nullopt;
  }
  // The prefix keeps the choice apart from any other use of a sample's hash.
  Sha256Stream stream;
  stream.update(as_bytes("hone.holdout.1\n"));
  stream.update(row.x);
  return part(wire::fraction_of(stream.finish()) < rule.holdout);
}

}  // namespace hone::cloud
