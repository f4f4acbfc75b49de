// Serves the repository as any web server would: static files with ETag, conditional and range
// requests (RFC 9110, sections 8.8.3, 13.1.2 and 14). One range a request; more are answered whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/files.hpp"
#include "base/http.hpp"

namespace hone::cloud {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

enum class RangeKind : std::uint8_t { none, one, unsatisfiable };

struct RangeAnswer {
  RangeKind kind = RangeKind::none;
  ByteRange range;
};

// What a Range header asks of `size` bytes; `none` for a header that is no single byte range.
[[nodiscard]] RangeAnswer parse_range(std::string_view header, std::uint64_t size);

// `path` below `folder`, from a URL and not yet checked.
[[nodiscard]] HttpResponse serve_file(Files& files, const std::string& folder, std::string_view path,
                                      const HttpRequest& request);

}  // namespace hone::cloud
