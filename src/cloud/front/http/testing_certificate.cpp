#include "cloud/front/http/testing_certificate.hpp"

#include <cstdlib>

#include "cloud/front/tls/certificate.hpp"
#include "platform/posix/posix.hpp"

namespace hone::cloud {

TestingCertificate make_testing_certificate() {
  const auto random = platform::make_system_random();
  const Time now = platform::make_system_clock()->now();
  const Validity validity{now - std::chrono::hours(1), now + std::chrono::hours(24)};
  const auto key = make_private_key();
  const auto authority = key ? make_authority(*key, *random, validity) : key;
  if (!authority) std::abort();  // a test without a certificate cannot go on
  const auto server = make_server_certificate({*authority, *key}, {"127.0.0.1", "localhost"}, *random, validity);
  if (!server) std::abort();
  return {*authority, server->certificate_pem, server->private_key_pem};
}

}  // namespace hone::cloud
