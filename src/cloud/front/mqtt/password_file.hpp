// mosquitto's password file: one "user:$7$iterations$salt$hash" a line, PBKDF2 with HMAC-SHA-512
// (RFC 8018), salt and hash in base64. Secrets are drawn by machines, so few iterations are enough.
// Not for use by two threads at once.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "base/result.hpp"

namespace hone::cloud {

constexpr std::size_t kPasswordFileBytesMax = 256u << 20;  // some million devices

class PasswordFile {
 public:
  // Lines that it cannot read are dropped: their users are added anew when they enrol.
  [[nodiscard]] static PasswordFile from_text(std::string_view text);
  [[nodiscard]] std::string to_text() const;

  // True when something changed, false when the user has this very secret. `invalid` for a name
  // that the format cannot hold.
  [[nodiscard]] Result<bool> set(const std::string& user, const std::string& secret, Random& random);
  [[nodiscard]] bool accepts(const std::string& user, const std::string& secret) const;
  [[nodiscard]] std::size_t size() const { return hashes_.size(); }

 private:
  std::map<std::string, std::string, std::less<>> hashes_;  // user -> "$7$..."
};

}  // namespace hone::cloud
