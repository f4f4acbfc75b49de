#include "cloud/front/tls/local_ca.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "cloud/front/tls/certificate.hpp"

namespace hone::cloud {
namespace {

using std::chrono::days;
using std::chrono::hours;

constexpr Duration kAuthorityLife = days(3650);
constexpr Duration kServerLife = days(90);
constexpr Duration kClockSkew = hours(1);  // a device whose clock is behind must not refuse
constexpr std::uint64_t kPemBytesMax = 64 * 1024;

Result<std::optional<std::string>> read_pem(Files& files, const std::string& path) {
  const auto bytes = read_file(files, path, kPemBytesMax);
  if (!bytes && bytes.error().code == Code::not_found) return std::nullopt;
  if (!bytes) return fail(std::move(bytes).error());
  return std::optional(to_string(*bytes));
}

// The key is durable before the certificate that names it: a crash in between leaves a key that
// the next start uses.
Result<KeyedCertificate> open_authority(Files& files, Random& random, const std::string& folder, Time now) {
  const std::string certificate_path = folder + "/ca.pem";
  const std::string key_path = folder + "/ca.key";
  HONE_TRY(const auto certificate, read_pem(files, certificate_path));
  HONE_TRY(auto key, read_pem(files, key_path));
  if (certificate) {
    const std::string remedy = ": restore " + folder + " from a backup, or remove it and enrol every device again";
    if (!key) return fail(Code::invalid, key_path + " is missing" + remedy);
    KeyedCertificate authority{*certificate, *key};
    const auto facts = facts_of(*certificate);
    if (!facts || !belongs(authority))
      return fail(Code::damaged, certificate_path + " and ca.key do not belong together" + remedy);
    if (facts->validity.end <= now) {
      return fail(Code::invalid, certificate_path + " expired at " + to_rfc3339(facts->validity.end) + ": remove " +
                                     folder + " and enrol every device again");
    }
    return authority;
  }
  if (!key) {
    HONE_TRY(key, make_private_key());
    HONE_CHECK(write_private_file_atomically(files, key_path, as_bytes(*key)));
  } else {
    HONE_CHECK(files.sync_folder(folder));
  }
  KeyedCertificate authority{{}, std::move(*key)};
  auto made = make_authority(authority.private_key_pem, random, {now - kClockSkew, now + kAuthorityLife});
  if (!made && made.error().code == Code::damaged) {
    return fail(Code::damaged, key_path + " is no private key: remove it, it has signed nothing yet");
  }
  if (!made) return fail(std::move(made).error());
  authority.certificate_pem = std::move(*made);
  HONE_CHECK(write_file_atomically(files, certificate_path, as_bytes(authority.certificate_pem)));
  return authority;
}

bool still_good(const KeyedCertificate& server, const KeyedCertificate& authority, const std::set<std::string>& names,
                Time now) {
  const auto facts = facts_of(server.certificate_pem);
  return facts && belongs(server) && is_issued_by(server.certificate_pem, authority.certificate_pem) &&
         facts->names == names && facts->validity.begin <= now && facts->validity.end - now >= kServerLife / 3;
}

}  // namespace

Result<LocalTls> open_local_tls(Files& files, Random& random, const std::string& folder,
                                const std::vector<std::string>& hosts, Time now) {
  std::set<std::string> names;
  for (const std::string& host : hosts) {
    HONE_TRY(std::string name, subject_name_of(host));
    names.insert(std::move(name));
  }
  HONE_CHECK(files.make_folders(folder));
  HONE_CHECK(files.sync_folder(folder_of(folder)));
  auto authority = open_authority(files, random, folder, now);
  if (!authority) return fail(authority.error().within("open the local certificate authority"));

  LocalTls tls;
  tls.ca_path = folder + "/ca.pem";
  tls.cert_path = folder + "/server.pem";
  tls.key_path = folder + "/server.key";
  HONE_TRY(const auto certificate, read_pem(files, tls.cert_path));
  HONE_TRY(const auto key, read_pem(files, tls.key_path));
  KeyedCertificate server{certificate.value_or(""), key.value_or("")};
  if (!still_good(server, *authority, names, now)) {
    // The two files do not change as one: after a crash in between they do not belong together, and
    // the next start is here again.
    HONE_TRY(server, make_server_certificate(*authority, hosts, random, {now - kClockSkew, now + kServerLife}));
    HONE_CHECK(write_private_file_atomically(files, tls.key_path, as_bytes(server.private_key_pem)));
    HONE_CHECK(write_file_atomically(files, tls.cert_path, as_bytes(server.certificate_pem)));
  }
  tls.ca_pem = std::move(authority->certificate_pem);
  tls.certificate_pem = std::move(server.certificate_pem);
  tls.private_key_pem = std::move(server.private_key_pem);
  return tls;
}

}  // namespace hone::cloud
