// Writes the static repository that devices pull from: content-addressed targets and TUF 1.0
// metadata, any web server can host it. Files of a release are durable before the metadata that
// names them, and the timestamp comes last: a crash in between leaves the old release, whole, or ends
// with the new one at the next open (docs/formats/trust.md).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "shared/wire/release.hpp"

namespace hone::cloud {

struct NewTarget {
  wire::TargetFile file;
  Bytes bytes;
};

// Not for use by two threads at once. `files` and `random` must outlive it.
class Publisher {
 public:
  // `folder` is what gets hosted (metadata/, targets/), `keys` holds the signing keys and never is.
  // Keys and the first metadata are made when absent. `invalid` when keys and metadata disagree;
  // nothing is changed then.
  [[nodiscard]] static Result<std::unique_ptr<Publisher>> open(Files& files, std::string folder, std::string keys,
                                                               Random& random, Time now);
  virtual ~Publisher() = default;

  // Adds targets, signs targets, snapshot and timestamp with higher versions. Publishing the same
  // again changes nothing, so a caller may repeat it after a crash or an error. Other bytes under a
  // published path replace it (a delta encoded anew), except a release manifest: `invalid`, because
  // a release number means one thing for good. `no_space` also when the metadata outgrows what
  // devices accept.
  [[nodiscard]] virtual Result<> publish(const std::vector<NewTarget>& targets, Time now) = 0;

  // Signs anew what expires within a third of its life. True when something changed.
  [[nodiscard]] virtual Result<bool> refresh(Time now) = 0;

  [[nodiscard]] virtual const Bytes& root_json() const = 0;  // the newest root
};

}  // namespace hone::cloud
