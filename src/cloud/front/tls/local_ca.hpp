// TLS for a server that nobody has configured: an authority of its own, made at the first start,
// and a server certificate that it signs. Devices learn the authority at enrolment and believe no
// other, so no public authority is needed.
//
// Files in `folder`: ca.pem (hand it out), ca.key (keep it), server.pem, server.key; both keys are
// readable by the owner only.
#pragma once

#include <string>
#include <vector>

#include "base/files.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace hone::cloud {

struct LocalTls {
  std::string ca_pem;
  std::string certificate_pem;
  std::string private_key_pem;
  std::string ca_path;
  std::string cert_path;
  std::string key_path;
};

// The authority lasts 10 years. The server certificate lasts 90 days and is made anew when `hosts`
// (DNS names and IP addresses, in any order) changed or less than a third of its life is left, so
// a server that runs for months calls this again now and then.
// Errors: invalid (a host that is none; an authority without its key), damaged (unreadable
// authority), no_space, unavailable. A crash at any write is healed by the next call; the
// authority, once it was returned, stays.
[[nodiscard]] Result<LocalTls> open_local_tls(Files& files, Random& random, const std::string& folder,
                                              const std::vector<std::string>& hosts, Time now);

}  // namespace hone::cloud
