// Applies a patch to files so that power may go, or the process be killed, at any moment: what is found
// afterwards is the old file, the new one, or one that the same call completes. The convenient calls over
// the freestanding delta/decode/applier.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/files.hpp"
#include "base/result.hpp"
#include "shared/delta/format/format.hpp"

namespace hone::delta {

struct ApplyOptions {
  std::uint64_t target_bytes_max = kFileBytesMax;
  // Beside only: how many bytes of the target are lost at most by a cut. 0: 1 MiB for the small profile,
  // 4 MiB for the standard one, whose state is larger.
  std::uint64_t step_bytes = 0;
  std::function<void(double)> on_progress{};  // 0 to 1, from the calling thread
};
struct Applied {
  std::uint64_t target_bytes = 0;
  bool resumed = false;  // went on with what an earlier call had begun
};

// Rebuilds the target in the place of the base, with a patch that was made for it. Needs room for the
// patch's shift and for the journal `file`.journal, which is there as long as the call can be resumed; no
// other patch can be applied then. Errors: wrong_base, damaged; invalid: the patch is for a new file, or
// another is half applied; no_space, unavailable: nothing is lost, call again.
[[nodiscard]] Result<Applied> apply_in_place(Files& files, const std::string& file, const std::string& patch,
                                             const ApplyOptions& options = {});

// Rebuilds the target as `out`, which it replaces at the end; until then there are `out`.part and
// `out`.journal. `base` is not touched, unless it is `out`. Errors: wrong_base, damaged, no_space,
// unavailable.
[[nodiscard]] Result<Applied> apply_beside(Files& files, const std::string& base, const std::string& patch,
                                           const std::string& out, const ApplyOptions& options = {});

}  // namespace hone::delta
