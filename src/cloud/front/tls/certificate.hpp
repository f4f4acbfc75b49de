// X.509 through OpenSSL 3, as much of it as a small authority needs. Certificates and keys travel
// as PEM text; OpenSSL's types stay inside. RFC 5280.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace hone::cloud {

struct KeyedCertificate {
  std::string certificate_pem;
  std::string private_key_pem;
};

struct Validity {
  Time begin{};
  Time end{};
};

[[nodiscard]] Result<std::string> make_private_key();  // EC P-256, PKCS #8

// A self-signed authority that may sign servers, and no other authority.
[[nodiscard]] Result<std::string> make_authority(const std::string& private_key_pem, Random& random, Validity validity);

// A server certificate for `names` (DNS names and IP addresses), with a key of its own.
[[nodiscard]] Result<KeyedCertificate> make_server_certificate(const KeyedCertificate& authority,
                                                               const std::vector<std::string>& names, Random& random,
                                                               Validity validity);

// "127.0.0.1" -> "IP:7f000001", "Cloud.local" -> "DNS:cloud.local". `invalid` for what is neither.
[[nodiscard]] Result<std::string> subject_name_of(const std::string& host);

struct CertificateFacts {
  Validity validity;
  std::set<std::string> names;  // as subject_name_of writes them
};
// `damaged` when the text is no certificate.
[[nodiscard]] Result<CertificateFacts> facts_of(const std::string& certificate_pem);

// Whether the private key is the certificate's. False for text that is neither.
[[nodiscard]] bool belongs(const KeyedCertificate& pair);
[[nodiscard]] bool is_issued_by(const std::string& certificate_pem, const std::string& authority_pem);

}  // namespace hone::cloud
