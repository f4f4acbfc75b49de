// HMAC-SHA-256 (RFC 2104), and a comparison whose time does not depend on the bytes.
#pragma once

#include "base/bytes.hpp"
#include "base/hash.hpp"

namespace hone::cloud {

[[nodiscard]] Sha256 hmac_sha256(ByteView key, ByteView message);
[[nodiscard]] bool equal_in_constant_time(ByteView a, ByteView b);

}  // namespace hone::cloud
