#include "cloud/service/static_files.hpp"

#include <algorithm>
#include <charconv>

#include "base/hash.hpp"

namespace hone::cloud {
namespace {

constexpr std::uint64_t kFileBytesMax = 512u << 20;
constexpr std::size_t kPathBytesMax = 512;

// Names that the publisher writes, and nothing that could leave the folder.
bool is_safe_path(std::string_view path) {
  if (path.empty() || path.size() > kPathBytesMax || path.front() == '/' || path.back() == '/') return false;
  char before = '/';
  for (const char c : path) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!plain && c != '.' && c != '/') return false;
    if (before == '/' && (c == '/' || c == '.')) return false;  // no empty, hidden or dotted segment
    before = c;
  }
  return true;
}

std::string_view name_in(std::string_view path) {
  return path.substr(path.find_last_of('/') + 1);
}

// "<sha256>.<name>": what it names can never change.
std::optional<std::string> hash_in(std::string_view name) {
  if (name.size() < 65 || name[64] != '.') return std::nullopt;
  const auto hash = Sha256::from_hex(name.substr(0, 64));
  if (!hash) return std::nullopt;
  return hash->hex();
}

bool starts_with_version(std::string_view name) {  // "12.root.json"
  const auto dot = name.find('.');
  return dot > 0 && dot != std::string_view::npos &&
         std::all_of(name.begin(), name.begin() + static_cast<std::ptrdiff_t>(dot),
                     [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view header(const HttpRequest& request, std::string_view name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? std::string_view() : std::string_view(found->second);
}

bool lists_etag(std::string_view list, std::string_view etag) {
  return list == "*" || list.find(etag) != std::string_view::npos;
}

Result<Bytes> read_range(const File& file, const ByteRange& range) {
  Bytes bytes(static_cast<std::size_t>(range.count));
  HONE_TRY(const std::size_t got, file.read_at(range.first, bytes));
  if (got != bytes.size()) return fail(Code::unavailable, "the file became shorter while it was read: ask again");
  return bytes;
}

Result<HttpResponse> serve(Files& files, const std::string& path, const HttpRequest& request) {
  HONE_TRY(const auto file, files.open(path, OpenMode::read));
  HONE_TRY(const std::uint64_t size, file->size());
  if (size > kFileBytesMax) return fail(Code::invalid, "this file is too large to be served from here");

  HttpResponse response;
  std::optional<Bytes> whole;
  auto hash = hash_in(name_in(path));
  const bool immutable = hash.has_value() || starts_with_version(name_in(path));
  if (!hash) {
    HONE_TRY(whole, read_range(*file, {0, size}));
    hash = sha256(*whole).hex();
  }
  const std::string etag = "\"" + *hash + "\"";
  response.headers["etag"] = etag;
  response.headers["accept-ranges"] = "bytes";
  response.headers["cache-control"] = immutable ? "public, max-age=31536000, immutable" : "no-cache";
  if (lists_etag(header(request, "if-none-match"), etag)) {
    response.status = 304;
    return response;
  }
  response.headers["content-type"] = path.ends_with(".json") ? "application/json" : "application/octet-stream";

  RangeAnswer answer;
  const auto if_range = header(request, "if-range");
  if (if_range.empty() || if_range == etag) answer = parse_range(header(request, "range"), size);
  if (answer.kind == RangeKind::unsatisfiable) {
    response.status = 416;
    response.headers["content-range"] = "bytes */" + std::to_string(size);
    return response;
  }
  const bool part = answer.kind == RangeKind::one;
  const ByteRange range = part ? answer.range : ByteRange{0, size};
  if (part) {
    response.headers["content-range"] = "bytes " + std::to_string(range.first) + "-" +
                                        std::to_string(range.first + range.count - 1) + "/" + std::to_string(size);
  }
  response.status = part ? 206 : 200;
  if (whole && !part) {
    response.body = std::move(*whole);
  } else {
    HONE_TRY(response.body, read_range(*file, range));
  }
  return response;
}

}  // namespace

RangeAnswer parse_range(std::string_view header, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit)) return {};
  header.remove_prefix(kUnit.size());
  const auto dash = header.find('-');
  if (dash == std::string_view::npos || header.find(',') != std::string_view::npos) return {};
  const auto first = number(header.substr(0, dash));
  const auto last = number(header.substr(dash + 1));
  if (!first) {  // "-n": the last n bytes
    if (dash != 0 || !last) return {};
    if (*last == 0 || size == 0) return {RangeKind::unsatisfiable, {}};
    const std::uint64_t count = std::min(*last, size);
    return {RangeKind::one, {size - count, count}};
  }
  const bool open_end = dash + 1 == header.size();
  if (!open_end && (!last || *last < *first)) return {};
  if (*first >= size) return {RangeKind::unsatisfiable, {}};
  const std::uint64_t end = open_end ? size - 1 : std::min(*last, size - 1);
  return {RangeKind::one, {*first, end - *first + 1}};
}

HttpResponse serve_file(Files& files, const std::string& folder, std::string_view path, const HttpRequest& request) {
  if (!is_safe_path(path)) return response_of({Code::not_found, "there is no such file in the repository"});
  auto response = serve(files, folder + "/" + std::string(path), request);
  if (response) return std::move(*response);
  // A folder, or nothing: the same answer, which names no path of this machine.
  const Code code = response.error().code;
  if (code == Code::not_found || code == Code::invalid) {
    return response_of({Code::not_found, "there is no such file in the repository"});
  }
  return response_of({code, "the repository cannot be read just now"});
}

}  // namespace hone::cloud
