// For tests only: an authority made on the spot and a server certificate for 127.0.0.1.
#pragma once

#include <string>

namespace hone::cloud {

struct TestingCertificate {
  std::string ca_pem;
  std::string certificate_pem;
  std::string private_key_pem;
};

// Each call makes another authority.
[[nodiscard]] TestingCertificate make_testing_certificate();

}  // namespace hone::cloud
