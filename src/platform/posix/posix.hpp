// The base ports for real: POSIX files, system clock, system randomness, libcurl.
#pragma once

#include <memory>
#include <string>

#include "base/files.hpp"
#include "base/http.hpp"
#include "base/random.hpp"
#include "base/time.hpp"

namespace hone::platform {

[[nodiscard]] std::unique_ptr<Files> make_posix_files();
[[nodiscard]] std::unique_ptr<Clock> make_system_clock();
[[nodiscard]] std::unique_ptr<Random> make_system_random();

struct HttpEndpoint {
  std::string url;            // "https://127.0.0.1:8443"
  std::string ca_pem;         // the only authority that is believed
  std::string authorization;  // "Bearer ...", or empty
};
// Keeps its connection alive between calls. Not for use by two threads at once.
[[nodiscard]] std::unique_ptr<HttpClient> make_http_client(HttpEndpoint endpoint);

}  // namespace hone::platform
