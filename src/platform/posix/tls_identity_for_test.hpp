// A throw-away certificate authority and a server certificate that it signed, made in memory.
#pragma once

#include <string>

namespace hone::platform {

struct TlsIdentity {
  std::string ca_pem;
  std::string certificate_pem;
  std::string key_pem;
};

// `subject_alt_name` as OpenSSL writes it: "IP:127.0.0.1", "DNS:example.test".
[[nodiscard]] TlsIdentity make_tls_identity(const std::string& subject_alt_name);

}  // namespace hone::platform
