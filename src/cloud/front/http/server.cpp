#include "cloud/front/http/server.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <cctype>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace hone::cloud {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using tcp = asio::ip::tcp;
using boost::system::error_code;
using Stream = beast::ssl_stream<beast::tcp_stream>;
using Body = http::vector_body<std::uint8_t>;
using Parser = http::request_parser<Body>;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::size_t kReadBytesMax = 64 * 1024;  // of the read buffer: what may come before it is parsed
constexpr std::size_t kRefusalsMax = 64;          // connections beyond the bound that still get a 503

auto yielding(error_code& ec) { return asio::redirect_error(asio::use_awaitable, ec); }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

HttpResponse refusal(int status, std::string_view sentence) {
  HttpResponse response;
  response.status = status;
  response.headers["content-type"] = "application/json";
  if (status == 503) response.headers["retry-after"] = "1";
  // The sentences are ours: nothing in them wants escaping.
  response.body = to_bytes("{\"code\":\"" + std::string(status == 503 ? "unavailable" : "invalid") + "\",\"error\":\"" +
                           std::string(sentence) + "\"}");
  return response;
}

HttpRequest request_from(Parser& parser) {
  auto& message = parser.get();
  HttpRequest request;
  request.method = std::string(message.method_string());
  if (message.method() == http::verb::head) request.method = "GET";
  request.path = std::string(message.target());
  for (const auto& field : message) {
    std::string& value = request.headers[lower(std::string_view(field.name_string()))];
    if (!value.empty()) value += ", ";
    value += std::string_view(field.value());
  }
  request.body = std::move(message.body());
  return request;
}

HttpResponse call(const HttpHandler& handler, const HttpRequest& request) {
  try {
    return handler(request);
  } catch (...) {  // a bug in the handler must not take the server along
    return refusal(500, "the server failed on this request; its log says more");
  }
}

asio::awaitable<void> call_on_worker(const HttpHandler& handler, const HttpRequest& request, HttpResponse& response) {
  response = call(handler, request);
  co_return;
}

Result<std::shared_ptr<ssl::context>> make_context(const std::string& certificate_pem, const std::string& private_key_pem) {
  const auto made = std::make_shared<ssl::context>(ssl::context::tls_server);
  ssl::context& context = *made;
  error_code ec;
  context.set_options(ssl::context::default_workarounds | ssl::context::no_compression | ssl::context::single_dh_use, ec);
  SSL_CTX* native = context.native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);  // idle connections cost little
  SSL_CTX_set_cipher_list(native, "ECDHE+AESGCM:ECDHE+CHACHA20");
  context.use_certificate_chain(asio::buffer(certificate_pem), ec);
  if (ec) return fail(Code::invalid, "the server's certificate cannot be read: " + ec.message());
  context.use_private_key(asio::buffer(private_key_pem), ssl::context::pem, ec);
  if (ec) return fail(Code::invalid, "the server's private key cannot be read or does not fit its certificate: " + ec.message());
  return made;
}

Result<> listen_on(tcp::acceptor& acceptor, const HttpsOptions& options) {
  const std::string port = std::to_string(options.port);
  error_code ec;
  const auto address = asio::ip::make_address(options.address, ec);
  if (ec) return fail(Code::invalid, "'" + options.address + "' is no IP address; give --listen as 127.0.0.1:8443");
  const tcp::endpoint endpoint(address, options.port);
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(asio::socket_base::reuse_address(true), ec);
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
  if (!ec) return {};
  if (ec == asio::error::address_in_use)
    return fail(Code::invalid, "port " + port + " is taken by another program; choose another with --listen");
  if (ec == asio::error::access_denied)
    return fail(Code::invalid, "this user may not listen on port " + port + "; choose one above 1023 with --listen");
  if (ec == error_code(EADDRNOTAVAIL, boost::system::system_category()))
    return fail(Code::invalid, options.address + " is no address of this machine; choose another with --listen");
  return fail(Code::unavailable, "cannot listen on " + options.address + ":" + port + ": " + ec.message());
}

}  // namespace

struct HttpsServer::Impl {
  explicit Impl(HttpsOptions o)
      : options(std::move(o)), io(static_cast<int>(std::max(1u, options.io_threads))), acceptor(io) {}

  // One client. Its members belong to its strand, apart from those that stop() reads under `mutex`.
  struct Connection {
    Connection(tcp::socket socket, ssl::context& context) : stream(std::move(socket), context) {}
    Stream stream;
    std::uint64_t body_bytes = 0;  // counted in all_bodies_bytes
    bool waiting = true;           // between requests: may be closed at once
  };

  // Keeps the count right however a connection's coroutine ends.
  struct Entry {
    Impl& impl;
    std::list<Connection*>::iterator place;
    Entry(Impl& i, Connection& c) : impl(i) {
      const std::lock_guard lock(impl.mutex);
      place = impl.connections.insert(impl.connections.end(), &c);
    }
    ~Entry() {
      const std::lock_guard lock(impl.mutex);
      impl.connections.erase(place);
      if (impl.connections.empty()) impl.all_closed.notify_all();
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
  };

  // A share of all_bodies_bytes_max, given back when the request has been answered.
  struct BodyShare {
    Impl& impl;
    std::uint64_t bytes = 0;
    explicit BodyShare(Impl& i) : impl(i) {}
    ~BodyShare() { impl.all_bodies_bytes -= bytes; }
    bool take(std::uint64_t wanted) {
      if (impl.all_bodies_bytes.fetch_add(wanted) + wanted > impl.options.all_bodies_bytes_max) {
        impl.all_bodies_bytes -= wanted;
        return false;
      }
      bytes = wanted;
      return true;
    }
    BodyShare(const BodyShare&) = delete;
    BodyShare& operator=(const BodyShare&) = delete;
  };

  asio::awaitable<void> accept_all() {
    for (;;) {
      error_code ec;
      tcp::socket socket = co_await acceptor.async_accept(asio::make_strand(io), yielding(ec));
      if (stopping) co_return;
      if (ec) {  // out of descriptors, or the client is gone already: let some close first
        asio::steady_timer pause(co_await asio::this_coro::executor, std::chrono::milliseconds(50));
        co_await pause.async_wait(yielding(ec));
        continue;
      }
      std::size_t open = 0;
      {
        const std::lock_guard lock(mutex);
        open = connections.size();
      }
      if (open >= options.connections_max + kRefusalsMax) continue;  // the socket closes here
      const bool crowded = open >= options.connections_max;
      auto executor = socket.get_executor();
      asio::co_spawn(executor, serve(std::make_unique<Connection>(std::move(socket), *current_context()), crowded), asio::detached);
    }
  }

  asio::awaitable<void> serve(std::unique_ptr<Connection> connection, bool crowded) {
    const Entry entry(*this, *connection);
    Stream& stream = connection->stream;
    error_code ec;
    beast::get_lowest_layer(stream).socket().set_option(tcp::no_delay(true), ec);
    beast::get_lowest_layer(stream).expires_after(options.progress_timeout);
    co_await stream.async_handshake(ssl::stream_base::server, yielding(ec));
    if (ec) co_return;  // not TLS, or a client that believes another authority

    beast::flat_buffer buffer(kReadBytesMax);
    bool keep = true;
    while (keep && !stopping) {
      set_waiting(*connection, true);
      keep = co_await answer_one(*connection, buffer, crowded);
    }
    beast::get_lowest_layer(stream).expires_after(std::chrono::seconds(2));
    co_await stream.async_shutdown(yielding(ec));
  }

  // One request and its answer; whether another may follow.
  asio::awaitable<bool> answer_one(Connection& connection, beast::flat_buffer& buffer, bool crowded) {
    Stream& stream = connection.stream;
    auto& socket = beast::get_lowest_layer(stream);
    Parser parser;
    parser.header_limit(kHeaderBytesMax);
    parser.body_limit(boost::none);  // set below, once the path is known

    // Idle until the first byte, then the whole header within the progress timeout.
    error_code ec;
    if (buffer.size() == 0) {
      socket.expires_after(options.idle_timeout);
      const std::size_t n = co_await stream.async_read_some(buffer.prepare(4096), yielding(ec));
      if (ec) co_return false;
      buffer.commit(n);
    }
    set_waiting(connection, false);
    const SteadyTime deadline = std::chrono::steady_clock::now() + options.request_timeout;
    socket.expires_after(options.progress_timeout);
    co_await http::async_read_header(stream, buffer, parser, yielding(ec));
    if (ec == http::error::header_limit || ec == http::error::buffer_overflow) {
      co_await send_last(stream, refusal(431, "the request's header is larger than 16 KiB"));
      co_return false;
    }
    if (ec && ec.category() == http::make_error_code(http::error::bad_method).category() &&
        ec != http::error::end_of_stream && ec != http::error::partial_message) {
      co_await send_last(stream, refusal(400, "this is not HTTP/1.1"));
      co_return false;
    }
    if (ec) co_return false;

    if (crowded) {
      co_await send_last(stream, refusal(503, "the server has as many connections as it may; try again soon"));
      co_return false;
    }
    const auto& head = parser.get();
    if (!head.target().starts_with('/')) {
      co_await send_last(stream, refusal(400, "the request's target must begin with a slash"));
      co_return false;
    }
    const std::uint64_t limit = options.body_bytes_max(std::string_view(head.method_string()), std::string_view(head.target()));
    const auto length = parser.content_length();
    const std::string too_large = "the request's body is larger than the " + std::to_string(limit) + " bytes allowed here";
    if (length && *length > limit) {
      co_await send_last(stream, refusal(413, too_large));
      co_return false;
    }
    BodyShare share(*this);
    if (!parser.is_done() && !share.take(length ? *length : limit)) {
      co_await send_last(stream, refusal(503, "the server is reading as much as it may; try again soon"));
      co_return false;
    }
    parser.body_limit(limit);
    if (!parser.is_done() && beast::iequals(head[http::field::expect], "100-continue")) {
      static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      co_await asio::async_write(stream, asio::buffer(kContinue), yielding(ec));
      if (ec) co_return false;
    }
    while (!parser.is_done()) {
      const auto left = deadline - std::chrono::steady_clock::now();
      if (left <= left.zero()) {
        co_await send_last(stream, refusal(408, "the request took too long to arrive"));
        co_return false;
      }
      socket.expires_after(std::min<std::chrono::steady_clock::duration>(left, options.progress_timeout));
      co_await http::async_read_some(stream, buffer, parser, yielding(ec));
      if (ec == http::error::body_limit) {
        co_await send_last(stream, refusal(413, too_large));
        co_return false;
      }
      if (ec) co_return false;
    }

    const bool head_only = head.method() == http::verb::head;
    const unsigned version = head.version();
    const bool keep_alive = parser.keep_alive();
    const HttpRequest request = request_from(parser);
    HttpResponse response;
    socket.expires_never();
    co_await asio::co_spawn(*pool, call_on_worker(handler, request, response), asio::use_awaitable);
    const bool keep = keep_alive && !stopping;
    co_return co_await send(stream, std::move(response), version, keep, head_only) && keep;
  }

  asio::awaitable<bool> send(Stream& stream, HttpResponse answer, unsigned version, bool keep, bool head_only) {
    http::response<http::span_body<const std::uint8_t>> message;
    message.version(version);
    message.result(static_cast<unsigned>(answer.status >= 100 && answer.status <= 599 ? answer.status : 500));
    for (const auto& [name, value] : answer.headers) {
      if (name != "content-length" && name != "connection" && name != "transfer-encoding") message.set(name, value);
    }
    const bool no_body = answer.status == 204 || answer.status == 304;
    message.keep_alive(keep);
    if (!no_body) message.content_length(answer.body.size());
    if (!no_body && !head_only) message.body() = {answer.body.data(), answer.body.size()};

    // Piece by piece, so that a client that reads slowly but does read is not cut off.
    http::response_serializer<http::span_body<const std::uint8_t>> serializer(message);
    error_code ec;
    if (no_body || head_only) {
      beast::get_lowest_layer(stream).expires_after(options.progress_timeout);
      co_await http::async_write_header(stream, serializer, yielding(ec));
      co_return !ec;
    }
    serializer.limit(kReadBytesMax);
    while (!serializer.is_done()) {
      beast::get_lowest_layer(stream).expires_after(options.progress_timeout);
      co_await http::async_write_some(stream, serializer, yielding(ec));
      if (ec) co_return false;
    }
    co_return true;
  }

  // A refusal, after which the connection ends. What the client still sends is read for a short
  // while: closing with unread bytes would reset the connection before it has seen the answer.
  asio::awaitable<void> send_last(Stream& stream, HttpResponse answer) {
    if (!co_await send(stream, std::move(answer), 11, false, false)) co_return;
    std::vector<std::uint8_t> drain(kReadBytesMax);
    error_code ec;
    beast::get_lowest_layer(stream).expires_after(std::chrono::seconds(2));
    for (std::size_t total = 0; !ec && total < 64 * kReadBytesMax;)
      total += co_await stream.async_read_some(asio::buffer(drain), yielding(ec));
  }

  std::shared_ptr<ssl::context> current_context() {
    const std::lock_guard lock(mutex);
    return context;
  }

  void set_waiting(Connection& connection, bool waiting) {
    const std::lock_guard lock(mutex);
    connection.waiting = waiting;
  }

  // Closes connections from their own strands; all of them, or those that wait for a request.
  void close_connections(bool all) {
    const std::lock_guard lock(mutex);
    for (Connection* connection : connections) {
      if (!all && !connection->waiting) continue;
      // The entry leaves the list on this strand too: the pointer is looked up again there.
      asio::post(connection->stream.get_executor(), [this, connection] {
        const std::lock_guard inner(mutex);
        if (std::find(connections.begin(), connections.end(), connection) == connections.end()) return;
        error_code ec;
        beast::get_lowest_layer(connection->stream).socket().close(ec);
      });
    }
  }

  const HttpsOptions options;
  std::uint16_t port = 0;
  HttpHandler handler;
  std::atomic<bool> stopping = false;
  std::atomic<std::uint64_t> all_bodies_bytes = 0;

  std::mutex mutex;  // guards connections, their `waiting`, and which context is the newest
  std::shared_ptr<ssl::context> context;
  std::list<Connection*> connections;
  std::condition_variable all_closed;

  // Below what their coroutines use, so that they go first; the pool's may hold sockets of `io`.
  asio::io_context io;
  tcp::acceptor acceptor;
  std::optional<asio::thread_pool> pool;
  std::vector<std::thread> io_threads;
};

HttpsServer::HttpsServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpsServer::~HttpsServer() { stop(Duration(0)); }

Result<std::unique_ptr<HttpsServer>> HttpsServer::bind(HttpsOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  HONE_TRY(impl->context, make_context(impl->options.certificate_pem, impl->options.private_key_pem));
  HONE_CHECK(listen_on(impl->acceptor, impl->options));
  error_code ec;
  impl->port = impl->acceptor.local_endpoint(ec).port();
  return std::unique_ptr<HttpsServer>(new HttpsServer(std::move(impl)));
}

std::uint16_t HttpsServer::port() const { return impl_->port; }

void HttpsServer::start(HttpHandler handler) {
  impl_->handler = std::move(handler);
  impl_->pool.emplace(std::max(1u, impl_->options.workers));
  asio::co_spawn(impl_->io, impl_->accept_all(), asio::detached);
  for (unsigned i = 0; i < std::max(1u, impl_->options.io_threads); ++i)
    impl_->io_threads.emplace_back([this] { impl_->io.run(); });
}

Result<> HttpsServer::replace_certificate(const std::string& certificate_pem, const std::string& private_key_pem) {
  HONE_TRY(auto context, make_context(certificate_pem, private_key_pem));
  const std::lock_guard lock(impl_->mutex);
  impl_->context = std::move(context);
  return {};
}

void HttpsServer::stop(Duration grace) {
  if (impl_->stopping.exchange(true)) return;
  if (impl_->io_threads.empty()) return;  // never started
  asio::post(impl_->io, [impl = impl_.get()] {
    error_code ec;
    impl->acceptor.close(ec);
  });
  impl_->close_connections(false);
  {
    std::unique_lock lock(impl_->mutex);
    impl_->all_closed.wait_for(lock, grace, [this] { return impl_->connections.empty(); });
  }
  impl_->io.stop();
  for (auto& thread : impl_->io_threads) thread.join();
  impl_->pool->stop();
  impl_->pool->join();
}

}  // namespace hone::cloud
