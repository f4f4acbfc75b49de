#include "cloud/front/http/server.hpp"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cloud/front/http/testing_certificate.hpp"
#include "platform/posix/posix.hpp"

namespace hone::cloud {
namespace {

const TestingCertificate& certificate() {
  static const TestingCertificate made = make_testing_certificate();
  return made;
}

HttpsOptions options_for_tests() {
  HttpsOptions options;
  options.certificate_pem = certificate().certificate_pem;
  options.private_key_pem = certificate().private_key_pem;
  options.body_bytes_max = [](std::string_view, std::string_view path) -> std::uint64_t {
    return path == "/large" ? 32u << 20 : 1000;
  };
  return options;
}

HttpResponse echo(const HttpRequest& request) {
  HttpResponse response;
  response.status = 200;
  response.headers["x-method"] = request.method;
  response.headers["x-path"] = request.path;
  const auto found = request.headers.find("x-question");
  if (found != request.headers.end()) response.headers["x-answer"] = found->second;
  response.body = request.body;
  return response;
}

std::unique_ptr<HttpsServer> start(HttpHandler handler, HttpsOptions options = options_for_tests()) {
  auto server = HttpsServer::bind(std::move(options));
  if (!server) {
    ADD_FAILURE() << server.error().context;
    return nullptr;
  }
  (*server)->start(std::move(handler));
  return std::move(*server);
}

std::unique_ptr<HttpClient> client_of(const HttpsServer& server, const std::string& ca = certificate().ca_pem) {
  return platform::make_http_client({"https://127.0.0.1:" + std::to_string(server.port()), ca, ""});
}

HttpClient::Limits generous() { return {64u << 20, std::chrono::seconds(30)}; }

HttpRequest post(std::string path, Bytes body) {
  HttpRequest request;
  request.method = "POST";
  request.path = std::move(path);
  request.body = std::move(body);
  return request;
}

// A TLS client that says what it is told to, for what libcurl would not do. It blocks.
class RawClient {
 public:
  explicit RawClient(const HttpsServer& server) : context_(SSL_CTX_new(TLS_client_method())) {
    bio_ = BIO_new_ssl_connect(context_);
    BIO_set_conn_hostname(bio_, ("127.0.0.1:" + std::to_string(server.port())).c_str());
    connected_ = BIO_do_connect(bio_) == 1;
  }
  ~RawClient() {
    BIO_free_all(bio_);
    SSL_CTX_free(context_);
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  void say(const std::string& text) { (void)BIO_write(bio_, text.data(), static_cast<int>(text.size())); }
  std::string hear() {  // up to the next pause of the server, or its end
    char buffer[4096];
    const int n = BIO_read(bio_, buffer, sizeof buffer);
    return n > 0 ? std::string(buffer, static_cast<std::size_t>(n)) : std::string();
  }
  std::string hear_all() {
    std::string all;
    for (std::string part = hear(); !part.empty(); part = hear()) all += part;
    return all;
  }

 private:
  SSL_CTX* context_;
  BIO* bio_ = nullptr;
  bool connected_ = false;
};

TEST(HttpsServer, HandsTheRequestOverAndTheAnswerBack) {
  const auto server = start(echo);
  ASSERT_TRUE(server);
  const auto client = client_of(*server);
  HttpRequest request = post("/v1/x?y=1", to_bytes("hello"));
  request.headers["x-question"] = "why";
  const auto response = client->send(request, generous());
  ASSERT_TRUE(response) << response.error().context;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->headers.at("x-method"), "POST");
  EXPECT_EQ(response->headers.at("x-path"), "/v1/x?y=1");
  EXPECT_EQ(response->headers.at("x-answer"), "why");
  EXPECT_EQ(to_string(response->body), "hello");
}

TEST(HttpsServer, CarriesLargeBodiesBothWays) {
  const auto server = start(echo);
  ASSERT_TRUE(server);
  Bytes body(20u << 20);
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<std::uint8_t>((i * 2654435761u) >> 13);
  const auto response = client_of(*server)->send(post("/large", body), generous());
  ASSERT_TRUE(response) << response.error().context;
  EXPECT_EQ(response->status, 200);
  EXPECT_TRUE(response->body == body);
}

TEST(HttpsServer, RefusesABodyBeyondTheBoundOfItsPath) {
  std::atomic<int> calls = 0;
  const auto server = start([&](const HttpRequest& request) {
    ++calls;
    return echo(request);
  });
  ASSERT_TRUE(server);
  const auto client = client_of(*server);
  for (const std::size_t bytes : {1001u, 3u << 20}) {
    const auto response = client->send(post("/small", Bytes(bytes)), generous());
    ASSERT_TRUE(response) << response.error().context;
    EXPECT_EQ(response->status, 413);
    EXPECT_NE(to_string(response->body).find("1000 bytes"), std::string::npos);
  }
  EXPECT_EQ(calls, 0);
  const auto response = client->send(post("/small", Bytes(1000)), generous());
  ASSERT_TRUE(response) << response.error().context;
  EXPECT_EQ(response->status, 200);
}

TEST(HttpsServer, RefusesAChunkedBodyBeyondTheBound) {
  const auto server = start(echo);
  ASSERT_TRUE(server);
  RawClient client(*server);
  client.say("POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.say("320\r\n" + std::string(800, 'a') + "\r\n320\r\n" + std::string(800, 'b') + "\r\n0\r\n\r\n");
  EXPECT_TRUE(client.hear().starts_with("HTTP/1.1 413"));
}

TEST(HttpsServer, SaysContinueBeforeTheBodyIsSent) {
  const auto server = start(echo);
  ASSERT_TRUE(server);
  RawClient client(*server);
  client.say("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.hear(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.say("abcd");
  EXPECT_TRUE(client.hear().starts_with("HTTP/1.1 200"));
}

TEST(HttpsServer, RefusesBeforeContinueWhatIsTooLarge) {
  const auto server = start(echo);
  ASSERT_TRUE(server);
  RawClient client(*server);
  client.say("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_TRUE(client.hear().starts_with("HTTP/1.1 413"));
}

TEST(HttpsServer, AnswersAHeadWithTheLengthAndNoBody) {
  const auto server = start([](const HttpRequest& request) {
    HttpResponse response = echo(request);
    response.body = to_bytes("twelve bytes");
    return response;
  });
  ASSERT_TRUE(server);
  RawClient client(*server);
  client.say("HEAD /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string answer = client.hear_all();
  EXPECT_NE(answer.find("Content-Length: 12\r\n"), std::string::npos) << answer;
  EXPECT_NE(answer.find("x-method: GET"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

TEST(HttpsServer, KeepsTheConnectionForPipelinedRequests) {
  const auto server = start(echo);
  ASSERT_TRUE(server);
  RawClient client(*server);
  client.say("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string answers = client.hear_all();
  EXPECT_NE(answers.find("x-path: /1"), std::string::npos) << answers;
  EXPECT_NE(answers.find("x-path: /2"), std::string::npos) << answers;
}

TEST(HttpsServer, ServesManyClientsAtOnce) {
  std::atomic<int> calls = 0;
  const auto server = start([&](const HttpRequest& request) {
    ++calls;
    return echo(request);
  });
  ASSERT_TRUE(server);
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 24; ++t) {
    threads.emplace_back([&, t] {
      const auto client = client_of(*server);
      for (int i = 0; i < 10; ++i) {
        const Bytes body = to_bytes(std::to_string(t) + "/" + std::to_string(i));
        const auto response = client->send(post("/small", body), generous());
        if (response && response->status == 200 && response->body == body) ++right;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 240);
  EXPECT_EQ(calls, 240);
}

TEST(HttpsServer, SlowClientsAndIdleOnesHoldUpNobody) {
  HttpsOptions options = options_for_tests();
  options.workers = 1;
  options.io_threads = 1;
  const auto server = start(echo, options);
  ASSERT_TRUE(server);
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 8; ++i) {
    slow.push_back(std::make_unique<RawClient>(*server));
    if (i % 2 == 0) slow.back()->say("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nonly the beginning");
  }
  const auto response = client_of(*server)->send(post("/small", to_bytes("quick")), generous());
  ASSERT_TRUE(response) << response.error().context;
  EXPECT_EQ(to_string(response->body), "quick");
}

TEST(HttpsServer, ASlowHandlerBlocksNoOther) {
  std::mutex mutex;
  std::condition_variable changed;
  bool entered = false, released = false;
  const auto server = start([&](const HttpRequest& request) {
    if (request.path == "/slow") {
      std::unique_lock lock(mutex);
      entered = true;
      changed.notify_all();
      changed.wait(lock, [&] { return released; });
    }
    return echo(request);
  });
  ASSERT_TRUE(server);
  std::thread slow([&] { EXPECT_TRUE(client_of(*server)->send(post("/slow", {}), generous())); });
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return entered; });
  }
  const auto response = client_of(*server)->send(post("/small", to_bytes("quick")), generous());
  EXPECT_TRUE(response && response->status == 200);
  {
    const std::lock_guard lock(mutex);
    released = true;
  }
  changed.notify_all();
  slow.join();
}

TEST(HttpsServer, CutsOffAClientThatMakesNoProgress) {
  HttpsOptions options = options_for_tests();
  options.progress_timeout = Duration(50);
  const auto server = start(echo, options);
  ASSERT_TRUE(server);
  RawClient client(*server);
  client.say("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nonly the beginning");
  EXPECT_EQ(client.hear_all(), "");  // blocks until the server closes
}

TEST(HttpsServer, AnswersGarbageInsideTlsWith400AndGoesOn) {
  const auto server = start(echo);
  ASSERT_TRUE(server);
  RawClient client(*server);
  client.say("\x01\x02 garbage\r\n\r\n");
  EXPECT_TRUE(client.hear().starts_with("HTTP/1.1 400"));
  EXPECT_TRUE(client_of(*server)->send(post("/small", {}), generous()));
}

TEST(HttpsServer, SurvivesGarbageInsteadOfTls) {
  const auto server = start(echo);
  ASSERT_TRUE(server);
  BIO* bio = BIO_new_connect(("127.0.0.1:" + std::to_string(server->port())).c_str());
  ASSERT_EQ(BIO_do_connect(bio), 1);
  const std::string garbage(5000, '\x7f');
  (void)BIO_write(bio, garbage.data(), static_cast<int>(garbage.size()));
  char buffer[256];
  while (BIO_read(bio, buffer, sizeof buffer) > 0) {
  }
  BIO_free_all(bio);
  EXPECT_TRUE(client_of(*server)->send(post("/small", {}), generous()));
}

TEST(HttpsServer, RefusesAHeaderBeyondItsBound) {
  const auto server = start(echo);
  ASSERT_TRUE(server);
  RawClient client(*server);
  client.say("GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + std::string(kHeaderBytesMax, 'x') + "\r\n\r\n");
  EXPECT_TRUE(client.hear().starts_with("HTTP/1.1 431"));
}

TEST(HttpsServer, AnswersOneConnectionTooManyWith503) {
  HttpsOptions options = options_for_tests();
  options.connections_max = 1;
  const auto server = start(echo, options);
  ASSERT_TRUE(server);
  RawClient first(*server);
  first.say("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(first.hear().starts_with("HTTP/1.1 200"));
  RawClient second(*server);
  second.say("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(second.hear().starts_with("HTTP/1.1 503"));
  first.say("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(first.hear().starts_with("HTTP/1.1 200"));
}

TEST(HttpsServer, AnswersWith503WhenAllBodiesTogetherAreTooMuch) {
  HttpsOptions options = options_for_tests();
  options.all_bodies_bytes_max = 1500;
  const auto server = start(echo, options);
  ASSERT_TRUE(server);
  RawClient first(*server);
  first.say("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(first.hear().starts_with("HTTP/1.1 100"));
  const auto refused = client_of(*server)->send(post("/small", Bytes(1000)), generous());
  ASSERT_TRUE(refused) << refused.error().context;
  EXPECT_EQ(refused->status, 503);
  first.say(std::string(1000, 'x'));
  EXPECT_TRUE(first.hear().starts_with("HTTP/1.1 200"));
  const auto accepted = client_of(*server)->send(post("/small", Bytes(1000)), generous());
  ASSERT_TRUE(accepted) << accepted.error().context;
  EXPECT_EQ(accepted->status, 200);
}

TEST(HttpsServer, IsNotBelievedUnderAnotherAuthority) {
  const auto server = start(echo);
  ASSERT_TRUE(server);
  const auto response = client_of(*server, make_testing_certificate().ca_pem)->send(post("/small", {}), generous());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Code::untrusted) << response.error().context;
}

TEST(HttpsServer, ANewCertificateIsShownToNewConnections) {
  const auto server = start(echo);
  ASSERT_TRUE(server);
  const auto standing = client_of(*server);
  ASSERT_TRUE(standing->send(post("/small", {}), generous()));
  const TestingCertificate other = make_testing_certificate();
  EXPECT_FALSE(server->replace_certificate(other.certificate_pem, certificate().private_key_pem));
  EXPECT_TRUE(client_of(*server)->send(post("/small", {}), generous()));
  ASSERT_TRUE(server->replace_certificate(other.certificate_pem, other.private_key_pem));
  EXPECT_TRUE(standing->send(post("/small", {}), generous()));
  EXPECT_TRUE(client_of(*server, other.ca_pem)->send(post("/small", {}), generous()));
  EXPECT_FALSE(client_of(*server)->send(post("/small", {}), generous()));
}

TEST(HttpsServer, RefusesTlsOlderThan12) {
  const auto server = start(echo);
  ASSERT_TRUE(server);
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
  BIO* bio = BIO_new_ssl_connect(context);
  BIO_set_conn_hostname(bio, ("127.0.0.1:" + std::to_string(server->port())).c_str());
  EXPECT_NE(BIO_do_connect(bio), 1);
  BIO_free_all(bio);
  SSL_CTX_free(context);
}

TEST(HttpsServer, AHandlerThatThrowsIsAnsweredWith500) {
  const auto server = start([](const HttpRequest&) -> HttpResponse { throw std::runtime_error("bug"); });
  ASSERT_TRUE(server);
  const auto response = client_of(*server)->send(post("/small", {}), generous());
  ASSERT_TRUE(response) << response.error().context;
  EXPECT_EQ(response->status, 500);
}

TEST(HttpsServer, APortThatIsTakenIsNamedWithWhatToDo) {
  const auto server = start(echo);
  ASSERT_TRUE(server);
  HttpsOptions options = options_for_tests();
  options.port = server->port();
  const auto second = HttpsServer::bind(options);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().context, "port " + std::to_string(options.port) +
                                        " is taken by another program; choose another with --listen");
}

TEST(HttpsServer, ConnectionsMadeBeforeTheStartAreServed) {
  auto server = HttpsServer::bind(options_for_tests());
  ASSERT_TRUE(server) << server.error().context;
  std::thread early([&] { EXPECT_TRUE(client_of(**server)->send(post("/small", {}), generous())); });
  (*server)->start(echo);
  early.join();
}

TEST(HttpsServer, StoppingAnswersWhatIsUnderWayAndEndsTheRest) {
  std::mutex mutex;
  std::condition_variable changed;
  bool entered = false, released = false;
  auto server = start([&](const HttpRequest& request) {
    std::unique_lock lock(mutex);
    entered = true;
    changed.notify_all();
    changed.wait(lock, [&] { return released; });
    return echo(request);
  });
  ASSERT_TRUE(server);
  RawClient idle(*server);
  std::atomic<int> status = 0;
  std::thread busy([&, client = client_of(*server)] {
    const auto response = client->send(post("/small", {}), generous());
    if (response) status = response->status;
  });
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return entered; });
  }
  std::thread stopping([&] { server->stop(std::chrono::seconds(20)); });
  EXPECT_EQ(idle.hear_all(), "");  // closed at once, while the other is still being answered
  {
    const std::lock_guard lock(mutex);
    released = true;
  }
  changed.notify_all();
  stopping.join();
  busy.join();
  EXPECT_EQ(status, 200);
}

}  // namespace
}  // namespace hone::cloud
