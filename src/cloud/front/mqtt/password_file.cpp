#include "cloud/front/mqtt/password_file.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace hone::cloud {
namespace {

constexpr int kIterations = 101;        // mosquitto_passwd's own default
constexpr int kIterationsMax = 1'000'000;
constexpr std::size_t kSaltBytes = 12;  // mosquitto reads no other length
constexpr std::size_t kHashBytes = 64;

Bytes derive(const std::string& secret, const Bytes& salt, int iterations) {
  Bytes hash(kHashBytes);
  if (PKCS5_PBKDF2_HMAC(secret.data(), static_cast<int>(secret.size()), salt.data(), static_cast<int>(salt.size()),
                        iterations, EVP_sha512(), static_cast<int>(hash.size()), hash.data()) != 1)
    return {};
  return hash;
}

struct Parsed {
  int iterations = 0;
  Bytes salt, hash;
};

// "$7$101$<salt>$<hash>"
std::optional<Parsed> parse(std::string_view text) {
  if (!text.starts_with("$7$")) return std::nullopt;
  text.remove_prefix(3);
  const std::size_t first = text.find('$');
  const std::size_t second = first == text.npos ? text.npos : text.find('$', first + 1);
  if (second == text.npos) return std::nullopt;
  Parsed parsed;
  const auto [end, error] = std::from_chars(text.data(), text.data() + first, parsed.iterations);
  if (error != std::errc() || end != text.data() + first) return std::nullopt;
  if (parsed.iterations < 1 || parsed.iterations > kIterationsMax) return std::nullopt;
  auto salt = from_base64(text.substr(first + 1, second - first - 1));
  auto hash = from_base64(text.substr(second + 1));
  if (!salt || !hash || salt->size() != kSaltBytes || hash->size() != kHashBytes) return std::nullopt;
  parsed.salt = std::move(*salt);
  parsed.hash = std::move(*hash);
  return parsed;
}

bool is_user(std::string_view name) {
  if (name.empty() || name.size() > 128 || name.front() == '#') return false;
  for (const char c : name)
    if (c <= ' ' || c > '~' || c == ':') return false;
  return true;
}

}  // namespace

PasswordFile PasswordFile::from_text(std::string_view text) {
  PasswordFile file;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t colon = line.find(':');
    if (colon == line.npos || !is_user(line.substr(0, colon)) || !parse(line.substr(colon + 1))) continue;
    file.hashes_.insert_or_assign(std::string(line.substr(0, colon)), std::string(line.substr(colon + 1)));
  }
  return file;
}

std::string PasswordFile::to_text() const {
  std::string text;
  for (const auto& [user, hash] : hashes_) text += user + ":" + hash + "\n";
  return text;
}

Result<bool> PasswordFile::set(const std::string& user, const std::string& secret, Random& random) {
  if (!is_user(user)) return fail(Code::invalid, "'" + user + "' cannot be a name of the broker's: use printable ASCII without ':'");
  if (accepts(user, secret)) return false;
  Bytes salt(kSaltBytes);
  random.fill(salt);
  const Bytes hash = derive(secret, salt, kIterations);
  if (hash.empty()) return fail(Code::unavailable, "OpenSSL cannot derive a password hash");
  hashes_.insert_or_assign(user, "$7$" + std::to_string(kIterations) + "$" + to_base64(salt) + "$" + to_base64(hash));
  return true;
}

bool PasswordFile::accepts(const std::string& user, const std::string& secret) const {
  const auto found = hashes_.find(user);
  if (found == hashes_.end()) return false;
  const auto parsed = parse(found->second);
  if (!parsed) return false;
  const Bytes hash = derive(secret, parsed->salt, parsed->iterations);
  return hash.size() == kHashBytes && CRYPTO_memcmp(hash.data(), parsed->hash.data(), kHashBytes) == 0;
}

}  // namespace hone::cloud
