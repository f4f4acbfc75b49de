// Which code this program was built from.
#pragma once

#include <string_view>

namespace hone {

// "0.1.0+105a4d8aa3f1", with "-dirty" behind it when files differed from that commit; "0.1.0" where no
// repository was at hand.
[[nodiscard]] std::string_view code_version();

}  // namespace hone
