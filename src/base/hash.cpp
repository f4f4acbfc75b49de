#include "base/hash.hpp"

#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <new>

namespace hone {

namespace {

// OpenSSL uses the CPU's SHA instructions. Fetched once: a fetch by name costs more than a short hash.
const EVP_MD* algorithm() {
  static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return fetched != nullptr ? fetched : EVP_sha256();
}

// SHA-256 of bytes in memory cannot fail but for want of memory.
void require(bool fine) {
  if (!fine) throw std::bad_alloc();
}

struct ContextDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, ContextDeleter>;

void begin(Context& context) {
  if (!context) context.reset(EVP_MD_CTX_new());
  require(context && EVP_DigestInit_ex2(context.get(), algorithm(), nullptr) == 1);
}
Sha256 end(const Context& context) {
  Sha256 hash;
  require(EVP_DigestFinal_ex(context.get(), hash.bytes.data(), nullptr) == 1);
  return hash;
}

}  // namespace

Result<Sha256> Sha256::from_hex(std::string_view hex) {
  if (hex.size() != 64) return fail(Code::invalid, "a SHA-256 needs 64 hexadecimal digits");
  HONE_TRY(const Bytes raw, hone::from_hex(hex));
  Sha256 hash;
  std::copy(raw.begin(), raw.end(), hash.bytes.begin());
  return hash;
}

Sha256 sha256(ByteView bytes) {
  thread_local Context context;  // kept: making one costs more than a short hash
  begin(context);
  require(EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1);
  return end(context);
}

struct Sha256Stream::State {
  Context context;
};

Sha256Stream::Sha256Stream() : state_(std::make_unique<State>()) { begin(state_->context); }
Sha256Stream::~Sha256Stream() = default;
Sha256Stream::Sha256Stream(Sha256Stream&&) noexcept = default;
Sha256Stream& Sha256Stream::operator=(Sha256Stream&&) noexcept = default;

void Sha256Stream::update(ByteView bytes) {
  require(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1);
}

Sha256 Sha256Stream::finish() { return end(state_->context); }

std::uint32_t crc32(ByteView bytes, std::uint32_t seed) {
  if (bytes.empty()) return seed;  // zlib takes a null pointer for "start anew"
  return static_cast<std::uint32_t>(::crc32_z(seed, bytes.data(), bytes.size()));
}

}  // namespace hone
