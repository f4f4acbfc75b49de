#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <mutex>

#include "platform/posix/posix.hpp"
#include "platform/posix/sigpipe_guard.hpp"

namespace hone::platform {
namespace {

constexpr std::size_t kHeaderBytesMax = 32 * 1024;

struct CurlCloser {
  void operator()(CURL* curl) const {
    const SigpipeGuard guard;  // closing says goodbye, maybe to nobody
    curl_easy_cleanup(curl);
  }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Curl = std::unique_ptr<CURL, CurlCloser>;
using HeaderList = std::unique_ptr<curl_slist, CurlCloser>;

// One answer while it arrives; refuses bytes beyond its bounds instead of holding them.
struct Receiver {
  std::uint64_t body_bytes_max = 0;
  std::size_t header_bytes = 0;
  bool too_long = false;
  HttpResponse response;

  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self_pointer) {
    auto& self = *static_cast<Receiver*>(self_pointer);
    const std::size_t bytes = size * count;
    if (bytes > self.body_bytes_max - self.response.body.size()) {
      self.too_long = true;
      return 0;  // curl ends the transfer
    }
    self.response.body.insert(self.response.body.end(), data, data + bytes);
    return bytes;
  }

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self_pointer) {
    auto& self = *static_cast<Receiver*>(self_pointer);
    const std::size_t bytes = size * count;
    self.header_bytes += bytes;
    if (self.header_bytes > kHeaderBytesMax) {
      self.too_long = true;
      return 0;
    }
    self.add_header(std::string_view(data, bytes));
    return bytes;
  }

  void add_header(std::string_view line) {
    // A new status line begins: what came before was an interim answer (100 Continue).
    if (line.starts_with("HTTP/")) return response.headers.clear();
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const std::size_t first = line.find_first_not_of(" \t", colon + 1);
    const std::size_t last = line.find_last_not_of(" \t\r\n");
    response.headers[name] =
        first == std::string_view::npos || first > last ? "" : std::string(line.substr(first, last - first + 1));
  }
};

bool is_header_text(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

// A handshake fails for two reasons: the connection broke, or the other side is not who it should
// be. curl has one code for both where the authority's name is right and its key is not; OpenSSL's
// own error, quoted in `detail`, tells them apart.
bool is_distrust(CURLcode code, std::string_view detail) {
  return code == CURLE_SSL_CONNECT_ERROR && detail.find("error:") != std::string_view::npos &&
         detail.find("unexpected eof") == std::string_view::npos;
}

Code code_of(CURLcode code, std::string_view detail) {
  if (is_distrust(code, detail)) return Code::untrusted;
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_USE_SSL_FAILED: return Code::untrusted;
    case CURLE_PARTIAL_FILE:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING: return Code::damaged;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return Code::invalid;
    default: return Code::unavailable;
  }
}

// What the code means to the person who reads it.
std::string advice_of(CURLcode code, Code meaning) {
  if (meaning == Code::untrusted) return "; this server is not the one that the trusted authority vouches for";
  switch (code) {
    case CURLE_COULDNT_CONNECT: return "; is the server running, and is the port right?";
    case CURLE_COULDNT_RESOLVE_HOST: return "; check the name in the address";
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return "; the address needs the form https://host:port";
    default: return "";
  }
}

class CurlHttpClient : public HttpClient {
 public:
  explicit CurlHttpClient(HttpEndpoint endpoint) : endpoint_(std::move(endpoint)) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    while (endpoint_.url.ends_with('/')) endpoint_.url.pop_back();
    curl_.reset(curl_easy_init());
  }

  [[nodiscard]] Result<HttpResponse> send(const HttpRequest& request, const Limits& limits) override {
    if (!curl_) return fail(Code::unavailable, "libcurl could not be started; is memory left?");
    const std::string url = endpoint_.url + request.path;
    const std::string doing = request.method + " " + url;
    if (!request.path.starts_with('/') || !is_header_text(request.path)) {
      return fail(Code::invalid, doing + ": a request path begins with '/' and is one line");
    }
    HONE_TRY(const HeaderList headers, headers_of(request, doing));

    Receiver receiver;
    receiver.body_bytes_max = limits.response_bytes_max;
    std::string detail(CURL_ERROR_SIZE, '\0');
    configure(request, limits, url, headers.get(), receiver, detail);
    const SigpipeGuard guard;
    const CURLcode code = curl_easy_perform(curl_.get());
    long status = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
    // The answer lives on this stack: no pointer to it may outlast the call. Connections stay open.
    curl_easy_reset(curl_.get());

    if (receiver.too_long) {
      return fail(Code::damaged, doing + ": the answer is longer than the " +
                                     std::to_string(limits.response_bytes_max) + " bytes allowed here");
    }
    if (code != CURLE_OK) {
      detail.resize(detail.find('\0'));
      const Code meaning = code_of(code, detail);
      return fail(meaning,
                  doing + ": " + (detail.empty() ? curl_easy_strerror(code) : detail) + advice_of(code, meaning));
    }
    receiver.response.status = static_cast<int>(status);
    return std::move(receiver.response);
  }

 private:
  Result<HeaderList> headers_of(const HttpRequest& request, const std::string& doing) const {
    HeaderList list;
    const auto add = [&list](const std::string& line) {
      curl_slist* longer = curl_slist_append(list.get(), line.c_str());
      if (longer == nullptr) return false;
      (void)list.release();
      list.reset(longer);
      return true;
    };
    // Curl would wait a second for "100 Continue", and name a form's content type.
    bool added = add("Expect:");
    if (!request.headers.contains("content-type")) added = added && add("Content-Type:");
    if (!endpoint_.authorization.empty() && !request.headers.contains("authorization")) {
      added = added && add("authorization: " + endpoint_.authorization);
    }
    for (const auto& [name, value] : request.headers) {
      if (!is_header_text(name) || !is_header_text(value)) {
        return fail(Code::invalid, doing + ": header " + name + " must be one line");
      }
      // "name;" is how curl is told to send an empty value.
      added = added && add(value.empty() ? name + ";" : name + ": " + value);
    }
    if (!added) return fail(Code::unavailable, doing + ": no memory for the headers");
    return list;
  }

  void configure(const HttpRequest& request, const Limits& limits, const std::string& url, curl_slist* headers,
                 Receiver& receiver, std::string& detail) {
    CURL* const curl = curl_.get();
    const auto timeout_ms = static_cast<long>(std::max<Duration::rep>(1, limits.timeout.count()));
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");  // the address is the whole truth, whatever the environment says
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail.data());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Receiver::on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &receiver);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &Receiver::on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &receiver);

    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    // Only this authority: the machine's own store is switched off, also when `ca_pem` is empty.
    curl_easy_setopt(curl, CURLOPT_CAINFO, nullptr);
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
    curl_blob ca{endpoint_.ca_pem.data(), endpoint_.ca_pem.size(), CURL_BLOB_NOCOPY};
    curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &ca);

    if (request.method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    if (request.method != "GET" && request.method != "HEAD") {
      curl_easy_setopt(curl, CURLOPT_POST, 1L);
      curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                       request.body.empty() ? "" : reinterpret_cast<const char*>(request.body.data()));
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }

  HttpEndpoint endpoint_;
  Curl curl_;
};

}  // namespace

std::unique_ptr<HttpClient> make_http_client(HttpEndpoint endpoint) {
  return std::make_unique<CurlHttpClient>(std::move(endpoint));
}

}  // namespace hone::platform
