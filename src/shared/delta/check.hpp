// The check in the header of an in-place patch: whether the patch is whole is known before its base is
// overwritten.
#pragma once

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "shared/delta/format/format.hpp"

namespace hone::delta {

// The SHA-256 of a patch without its check, of which the check is the first bytes.
[[nodiscard]] inline Sha256 check_of(ByteView patch) {
  Sha256Stream hash;
  hash.update(patch.first(kCheckOffset));
  hash.update(patch.subspan(kInPlaceHeaderBytes));
  return hash.finish();
}

}  // namespace hone::delta
