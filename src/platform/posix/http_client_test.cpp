#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "platform/posix/posix.hpp"
#include "platform/posix/sigpipe_guard.hpp"
#include "platform/posix/tls_identity_for_test.hpp"

namespace hone::platform {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

struct FreeContext {
  void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
  void operator()(SSL* p) const { SSL_free(p); }
};

std::unique_ptr<SSL_CTX, FreeContext> make_context(const TlsIdentity& identity) {
  std::unique_ptr<SSL_CTX, FreeContext> context(SSL_CTX_new(TLS_server_method()));
  BIO* bio = BIO_new_mem_buf(identity.certificate_pem.data(), static_cast<int>(identity.certificate_pem.size()));
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  bio = BIO_new_mem_buf(identity.key_pem.data(), static_cast<int>(identity.key_pem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  SSL_CTX_use_certificate(context.get(), certificate);
  SSL_CTX_use_PrivateKey(context.get(), key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return context;
}

// Answers each request with what `answer` makes of its raw bytes, one connection after another,
// until the client closes it; an empty answer closes the connection, kHang says nothing more.
class TestServer {
 public:
  using Answer = std::function<std::string(const std::string& request)>;
  static constexpr std::string_view kHang = "hang";

  explicit TestServer(Answer answer, const TlsIdentity* identity = nullptr) : answer_(std::move(answer)) {
    if (identity != nullptr) context_ = make_context(*identity);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 || ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
      std::abort();
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }

  // After the client is gone: a connection of it may still be read from.
  ~TestServer() {
    ::shutdown(listener_, SHUT_RDWR);
    {
      const std::lock_guard lock(mutex_);
      if (open_ >= 0) ::shutdown(open_, SHUT_RDWR);
    }
    thread_.join();
    ::close(listener_);
  }

  [[nodiscard]] std::string url(const std::string& scheme = "http") const {
    return scheme + "://127.0.0.1:" + std::to_string(port_);
  }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void serve() {
    const SigpipeGuard guard;  // a client may hang up
    while (true) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      ++connections_;
      {
        const std::lock_guard lock(mutex_);
        open_ = fd;
      }
      converse(fd);
      const std::lock_guard lock(mutex_);
      open_ = -1;
      ::close(fd);
    }
  }

  void converse(int fd) {
    std::unique_ptr<SSL, FreeContext> tls;
    if (context_) {
      tls.reset(SSL_new(context_.get()));
      SSL_set_fd(tls.get(), fd);
      if (SSL_accept(tls.get()) != 1) return;
    }
    std::string pending;
    while (true) {
      const std::string request = read_request(fd, tls.get(), pending);
      if (request.empty()) return;
      const std::string answer = answer_(request);
      if (answer.empty()) return;
      if (answer == kHang) continue;
      const auto size = static_cast<int>(answer.size());
      if (tls ? SSL_write(tls.get(), answer.data(), size) <= 0
              : ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) {
        return;
      }
      if (answer.find("connection: close") != std::string::npos) return;
    }
  }

  static std::string read_request(int fd, SSL* tls, std::string& pending) {
    while (true) {
      const std::size_t head = pending.find("\r\n\r\n");
      if (head != std::string::npos) {
        const std::size_t at = pending.find("Content-Length: ");
        const std::size_t body = at < head ? std::stoul(pending.substr(at + 16)) : 0;
        if (pending.size() >= head + 4 + body) {
          std::string request = pending.substr(0, head + 4 + body);
          pending.erase(0, request.size());
          return request;
        }
      }
      char buffer[4096];
      const auto got = tls ? SSL_read(tls, buffer, sizeof buffer) : ::recv(fd, buffer, sizeof buffer, 0);
      if (got <= 0) return {};
      pending.append(buffer, static_cast<std::size_t>(got));
      if (pending.starts_with('\x16')) return {};  // a TLS hello to a server without TLS: hang up
    }
  }

  Answer answer_;
  std::unique_ptr<SSL_CTX, FreeContext> context_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  int open_ = -1;  // guarded by mutex_
  std::thread thread_;
};

std::string ok(std::string_view body, std::string_view headers = {}) {
  return "HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(body.size()) + "\r\n" + std::string(headers) + "\r\n" +
         std::string(body);
}

Result<HttpResponse> get(HttpClient& client, std::string path = "/", HttpClient::Limits limits = {}) {
  HttpRequest request;
  request.path = std::move(path);
  return client.send(request, limits);
}

TEST(HttpClient, SendsMethodHeadersAndBodyAsGiven) {
  std::string seen;
  TestServer server([&](const std::string& request) {
    seen = request;
    return ok("");
  });
  const auto client = make_http_client({server.url(), "", "Bearer secret"});
  HttpRequest request;
  request.method = "PUT";
  request.path = "/v1/a%2fb/../c?x=1&y=%20";
  request.headers = {{"x-one", "1"}, {"x-empty", ""}};
  request.body = to_bytes(std::string_view("a\0b", 3));
  ASSERT_TRUE(client->send(request, {}));
  EXPECT_THAT(seen, AllOf(HasSubstr("PUT /v1/a%2fb/../c?x=1&y=%20 HTTP/1.1\r\n"), HasSubstr("\r\nx-one: 1\r\n"),
                          HasSubstr("\r\nx-empty:\r\n"), HasSubstr("\r\nauthorization: Bearer secret\r\n")));
  EXPECT_THAT(seen,
              AllOf(HasSubstr("Content-Length: 3\r\n"), Not(HasSubstr("Expect")), Not(HasSubstr("Content-Type"))));
  EXPECT_TRUE(seen.ends_with(std::string("\r\n\r\na\0b", 7)));
}

TEST(HttpClient, SendsAnEmptyPostAndADelete) {
  std::string seen;
  TestServer server([&](const std::string& request) {
    seen = request;
    return ok("");
  });
  const auto client = make_http_client({server.url(), "", ""});
  for (const std::string method : {"POST", "DELETE", "GET"}) {
    HttpRequest request;
    request.method = method;
    request.path = "/x";
    ASSERT_TRUE(client->send(request, {}));
    EXPECT_THAT(seen, AllOf(HasSubstr(method + " /x HTTP/1.1"), Not(HasSubstr("authorization"))));
  }
}

TEST(HttpClient, GivesEveryStatusAsAnAnswerAndHeaderNamesInLowerCase) {
  TestServer server([](const std::string&) {
    return "HTTP/1.1 404 Not Found\r\nContent-Type:  text/plain \r\nX-Empty:\r\nETag: \"a:b\"\r\nContent-Length: "
           "4\r\n\r\ngone";
  });
  const auto client = make_http_client({server.url(), "", ""});
  const auto response = get(*client);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 404);
  EXPECT_EQ(to_string(response->body), "gone");
  EXPECT_EQ(response->headers.at("content-type"), "text/plain");
  EXPECT_EQ(response->headers.at("x-empty"), "");
  EXPECT_EQ(response->headers.at("etag"), "\"a:b\"");
}

TEST(HttpClient, FollowsNoRedirect) {
  int requests = 0;
  TestServer server([&](const std::string&) {
    ++requests;
    return "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n";
  });
  const auto client = make_http_client({server.url(), "", ""});
  EXPECT_EQ(get(*client)->status, 302);
  EXPECT_EQ(requests, 1);
}

TEST(HttpClient, KeepsItsConnectionBetweenCalls) {
  TestServer server([](const std::string&) { return ok("x"); });
  const auto client = make_http_client({server.url() + "/", "", ""});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(get(*client));
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpClient, ConnectsAnewAfterTheServerClosed) {
  TestServer server([](const std::string&) { return ok("x", "connection: close\r\n"); });
  const auto client = make_http_client({server.url(), "", ""});
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(get(*client));
  EXPECT_EQ(server.connections(), 3);
}

TEST(HttpClient, RefusesAnAnswerThatIsLongerThanAllowed) {
  TestServer server([](const std::string& request) {
    if (request.find("/chunked") == std::string::npos) return ok(std::string(100, 'x'));
    return std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n") + std::string(100, 'x') +
           "\r\n0\r\n\r\n";
  });
  const auto client = make_http_client({server.url(), "", ""});
  for (const std::string path : {"/sized", "/chunked"}) {
    EXPECT_EQ(get(*client, path, {.response_bytes_max = 100})->body.size(), 100U);
    const auto response = get(*client, path, {.response_bytes_max = 99});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::damaged);
    EXPECT_THAT(response.error().context, AllOf(HasSubstr(server.url() + path), HasSubstr("99 bytes")));
  }
}

TEST(HttpClient, RefusesEndlessHeaders) {
  TestServer server([](const std::string&) { return ok("", "x: " + std::string(60000, 'y') + "\r\n"); });
  const auto client = make_http_client({server.url(), "", ""});
  EXPECT_EQ(get(*client).error().code, Code::damaged);
}

TEST(HttpClient, CallsAnAnswerThatIsCutShortDamaged) {
  TestServer server(
      [](const std::string&) { return "HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\nabc"; });
  const auto client = make_http_client({server.url(), "", ""});
  EXPECT_EQ(get(*client).error().code, Code::damaged);
}

TEST(HttpClient, SaysThatNobodyListens) {
  std::string url;
  {
    TestServer server([](const std::string&) { return ok(""); });
    url = server.url();
  }
  const auto response = get(*make_http_client({url, "", ""}), "/v1/offer");
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Code::unavailable);
  EXPECT_THAT(response.error().context,
              AllOf(HasSubstr("GET " + url + "/v1/offer"), HasSubstr("is the server running")));
}

TEST(HttpClient, GivesUpOnAServerThatSaysNothing) {
  TestServer server([](const std::string&) { return std::string(TestServer::kHang); });
  const auto client = make_http_client({server.url(), "", ""});
  EXPECT_EQ(get(*client, "/", {.timeout = std::chrono::milliseconds(50)}).error().code, Code::unavailable);
}

TEST(HttpClient, RefusesARequestThatWouldSmuggleALine) {
  TestServer server([](const std::string&) { return ok(""); });
  const auto client = make_http_client({server.url(), "", ""});
  HttpRequest request;
  request.path = "/";
  request.headers = {{"x", "1\r\ny: 2"}};
  EXPECT_EQ(client->send(request, {}).error().code, Code::invalid);
  EXPECT_EQ(get(*client, "/ HTTP/1.1\r\nx: y").error().code, Code::invalid);
  EXPECT_EQ(get(*client, "no-slash").error().code, Code::invalid);
  EXPECT_EQ(get(*client, "@example.test/").error().code, Code::invalid);
  EXPECT_EQ(server.connections(), 0);
}

TEST(HttpClient, SpeaksHttpOnly) {
  EXPECT_EQ(get(*make_http_client({"file://", "", ""}), "/etc/hostname").error().code, Code::invalid);
}

TEST(HttpClientTls, BelievesTheAuthorityThatItWasGiven) {
  const TlsIdentity identity = make_tls_identity("IP:127.0.0.1");
  TestServer server([](const std::string&) { return ok("hello"); }, &identity);
  const auto client = make_http_client({server.url("https"), identity.ca_pem, ""});
  for (int i = 0; i < 3; ++i) {
    const auto response = get(*client);
    ASSERT_TRUE(response) << response.error().context;
    EXPECT_EQ(to_string(response->body), "hello");
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpClientTls, RefusesEveryOtherAuthority) {
  const TlsIdentity identity = make_tls_identity("IP:127.0.0.1");
  TestServer server([](const std::string&) { return ok("hello"); }, &identity);
  for (const std::string& ca : {make_tls_identity("IP:127.0.0.1").ca_pem, std::string(), std::string("no PEM")}) {
    const auto response = get(*make_http_client({server.url("https"), ca, ""}));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::untrusted) << response.error().context;
    EXPECT_THAT(response.error().context, HasSubstr(server.url("https")));
  }
}

TEST(HttpClientTls, TakesAConnectionThatBreaksDuringTheHandshakeForUnavailable) {
  TestServer server([](const std::string&) { return std::string(); });
  const auto response = get(*make_http_client({server.url("https"), make_tls_identity("IP:127.0.0.1").ca_pem, ""}));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Code::unavailable) << response.error().context;
}

TEST(SigpipeGuard, TurnsAWriteToAClosedPeerIntoAnError) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  {
    const SigpipeGuard guard;
    EXPECT_EQ(::write(ends[1], "x", 1), -1);  // without the guard, the test would end here
  }
  ::close(ends[1]);
}

TEST(HttpClientTls, RefusesACertificateForAnotherAddress) {
  const TlsIdentity identity = make_tls_identity("DNS:example.test");
  TestServer server([](const std::string&) { return ok("hello"); }, &identity);
  EXPECT_EQ(get(*make_http_client({server.url("https"), identity.ca_pem, ""})).error().code, Code::untrusted);
}

}  // namespace
}  // namespace hone::platform
