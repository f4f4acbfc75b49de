#include "cloud/service/access.hpp"

#include <optional>

#include "cloud/service/hmac.hpp"

namespace hone::cloud {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::uint64_t kAccessFileBytesMax = 256 * 1024;

Result<Bytes> open_key(Files& files, Random& random, const std::string& path) {
  HONE_TRY(const bool there, files.exists(path));
  if (there) {
    HONE_TRY(const Bytes text, read_file(files, path, 2 * kKeyBytes));
    auto key = from_hex(as_text(text));
    if (!key || key->size() != kKeyBytes) {
      return fail(Code::damaged,
                  path + " is damaged: restore it from a backup, or remove it and enrol every device again");
    }
    return *key;
  }
  const std::string hex = random.hex(kKeyBytes);
  HONE_CHECK(write_private_file_atomically(files, path, as_bytes(hex)));
  return from_hex(hex);
}

Result<wire::AccessFile> open_access(Files& files, Random& random, const std::string& path, const std::string& url,
                                     const std::string& ca_pem) {
  wire::AccessFile access;
  HONE_TRY(const bool there, files.exists(path));
  if (there) {
    const auto parse = [&]() -> Result<wire::AccessFile> {
      HONE_TRY(const Bytes text, read_file(files, path, kAccessFileBytesMax));
      HONE_TRY(const Json json, parse_json(text));
      return wire::access_file_from(json);
    };
    auto read = parse();
    if (!read) return fail(read.error().within("read " + path + " (remove it to have a new one made)"));
    access = std::move(*read);
    if (access.url == url && access.ca_pem == ca_pem && !access.token.empty()) return access;
  }
  access.url = url;
  access.ca_pem = ca_pem;
  if (access.token.empty()) access.token = random.hex(kKeyBytes);
  HONE_CHECK(write_private_file_atomically(files, path, dump_bytes(wire::to_json(access))));
  return access;
}

bool same(std::string_view a, std::string_view b) {
  return equal_in_constant_time(as_bytes(a), as_bytes(b));
}

}  // namespace

Result<std::unique_ptr<Access>> Access::open(Files& files, Random& random, const std::string& folder,
                                             const std::string& url, const std::string& ca_pem,
                                             CredentialStore& store) {
  std::unique_ptr<Access> access(new Access(random, store));
  HONE_CHECK(files.make_folders(folder));
  HONE_TRY(access->key_, open_key(files, random, folder + "/service.key"));
  HONE_TRY(access->trainer_, open_access(files, random, folder + "/trainer.json", url, ca_pem));
  HONE_TRY(access->admin_, open_access(files, random, folder + "/admin.json", url, ca_pem));
  return access;
}

Result<Caller> Access::authenticate(const HttpRequest& request) const {
  const auto header = request.headers.find("authorization");
  if (header == request.headers.end()) return Caller{};
  constexpr std::string_view kScheme = "Bearer ";
  std::string_view token = header->second;
  if (!token.starts_with(kScheme)) return fail(Code::untrusted, "send the credential as 'Authorization: Bearer ...'");
  token.remove_prefix(kScheme.size());
  // All comparisons are of hashes or of secrets of one length, and none stops early.
  if (same(token, trainer_.token)) return Caller{Who::trainer, {}, {}};
  if (same(token, admin_.token)) return Caller{Who::admin, {}, {}};

  const auto refused =
      fail(Code::untrusted,
           "this credential is not known here: enrol the device again, or use the access file of this server");
  const auto dot = token.find('.');
  if (dot == std::string_view::npos || dot > 64) return refused;
  const DeviceId device{std::string(token.substr(0, dot))};
  HONE_TRY(const auto known, store_.device(device));
  const Sha256 secret = sha256(as_bytes(token.substr(dot + 1)));
  if (!known || !equal_in_constant_time(secret.bytes, known->secret.bytes)) return refused;
  return Caller{Who::device, device, known->pipeline};
}

Result<std::vector<std::string>> Access::new_tokens(const PipelineName& pipeline, std::int64_t count, Time expires) {
  std::vector<std::string> tokens;
  for (std::int64_t i = 0; i < count; ++i) {
    std::string token;
    {
      const std::lock_guard lock(random_mutex_);
      token = random_.hex(24);
    }
    HONE_CHECK(store_.add_ticket({sha256(as_bytes(token)), pipeline, expires, std::nullopt, std::nullopt}));
    tokens.push_back(std::move(token));
  }
  return tokens;
}

Result<Enrolled> Access::enroll(const std::string& token, const std::string& nonce, Time now) {
  const Sha256 token_hash = sha256(as_bytes(token));
  HONE_TRY(const auto ticket, store_.ticket(token_hash));
  if (!ticket) {
    return fail(Code::untrusted, "this enrolment token is not known here: make a new one with 'hone device enroll'");
  }
  Enrolled reply;
  reply.pipeline = ticket->pipeline;
  // Of fixed length each, so that no two pairs of token and nonce give the same message.
  const Sha256 nonce_hash = sha256(as_bytes(nonce));
  const std::string message = token_hash.hex() + nonce_hash.hex();
  reply.device = DeviceId("dev-" + hmac_sha256(key_, as_bytes("hone.device\n" + message)).hex().substr(0, 16));
  reply.secret = hmac_sha256(key_, as_bytes("hone.secret\n" + message)).hex();

  const auto used =
      fail(Code::untrusted, "this enrolment token was used before: make a new one with 'hone device enroll'");
  if (ticket->device) {
    const bool repeated = !nonce.empty() && ticket->nonce && *ticket->nonce == nonce_hash;
    if (!repeated) return used;
    return reply;
  }
  if (now >= ticket->expires) {
    return fail(Code::untrusted, "this enrolment token expired at " + to_rfc3339(ticket->expires) +
                                     ": make a new one with 'hone device enroll'");
  }
  std::optional<Sha256> kept;
  if (!nonce.empty()) kept = nonce_hash;
  HONE_TRY(const bool first, store_.use_ticket(token_hash, reply.device, sha256(as_bytes(reply.secret)), kept, now));
  if (first) return reply;
  // Somebody was faster: perhaps this very request, sent twice.
  HONE_TRY(const auto now_used, store_.ticket(token_hash));
  if (kept && now_used && now_used->nonce == kept) return reply;
  return used;
}

}  // namespace hone::cloud
