// The keys that sign the repository, one file a role: root.key, targets.key, snapshot.key,
// timestamp.key, each {"keytype": "ed25519", "scheme": "ed25519", "seed": "<64 hex digits>"},
// readable by the owner only.
#pragma once

#include <map>
#include <string>

#include "base/files.hpp"
#include "base/random.hpp"
#include "shared/trust/key.hpp"
#include "shared/trust/metadata.hpp"

namespace hone::cloud {

using SigningKeys = std::map<trust::RoleName, trust::SigningKey>;

// `invalid`, naming the file, when one is absent or is no key.
[[nodiscard]] Result<SigningKeys> read_signing_keys(Files& files, const std::string& folder);

// Reads the keys that are there and makes those that are not. All are durable afterwards.
[[nodiscard]] Result<SigningKeys> read_or_make_signing_keys(Files& files, const std::string& folder, Random& random);

}  // namespace hone::cloud
