// The schema, as numbered steps: migration n brings user_version from n-1 to n. A step that was
// released is never changed, only followed by another.
#pragma once

#include <span>

namespace hone::cloud::sqlite {

[[nodiscard]] std::span<const char* const> all_migrations();

}  // namespace hone::cloud::sqlite
