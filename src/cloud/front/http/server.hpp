// HTTPS for an HttpHandler: TLS 1.2 and 1.3, HTTP/1.1 with keep-alive, every size and time bounded.
//
//   HONE_TRY(auto server, HttpsServer::bind(options));   // the port is known from here on
//   server->start(handler);                              // ... and served from here on
//
// Sockets are driven by a few threads that never call the handler; the handler runs on a small
// pool, so a slow answer or a slow client holds up nobody else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/http.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace hone::cloud {

constexpr std::size_t kHeaderBytesMax = 16 * 1024;

struct HttpsOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;       // 0: any free one
  std::string certificate_pem;  // the server's certificate, then its intermediates
  std::string private_key_pem;

  // How many bytes a request's body may have, by its method and path (with the query). Asked
  // before the body is read; more is answered with 413.
  std::function<std::uint64_t(std::string_view method, std::string_view path)> body_bytes_max =
      [](std::string_view, std::string_view) { return std::uint64_t{64} * 1024; };
  // All bodies that are being read or handled together; more is answered with 503.
  std::uint64_t all_bodies_bytes_max = 512u << 20;

  std::size_t connections_max = 2048;  // one more is answered with 503
  unsigned io_threads = 2;
  unsigned workers = 4;  // handlers that run at once; others wait

  Duration idle_timeout = std::chrono::seconds(60);      // between requests
  Duration progress_timeout = std::chrono::seconds(20);  // while a request or an answer is on its way
  Duration request_timeout = std::chrono::minutes(5);    // from a request's first byte to its last
};

class HttpsServer {
 public:
  // Binds and listens. Errors: invalid, one sentence that says what to do (port taken, no such
  // address, not permitted, certificate and key do not fit).
  [[nodiscard]] static Result<std::unique_ptr<HttpsServer>> bind(HttpsOptions options);
  ~HttpsServer();  // stops

  [[nodiscard]] std::uint16_t port() const;

  // Once. `handler` is called from several threads; a HEAD request reaches it as GET, and one
  // that throws is answered with 500. Connections made since bind() are served now.
  void start(HttpHandler handler);

  // For connections from now on; those that stand keep what they have. Safe from any thread.
  // `invalid` when the two do not fit: then nothing changes.
  [[nodiscard]] Result<> replace_certificate(const std::string& certificate_pem, const std::string& private_key_pem);

  // Takes no new request, gives those under way up to `grace` to be answered, then closes. Waits
  // for handlers that run: they must return by themselves. Idempotent.
  void stop(Duration grace = std::chrono::seconds(1));

 private:
  struct Impl;
  explicit HttpsServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hone::cloud
