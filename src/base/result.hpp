// Errors as values. A function that can fail returns Result<T>; the code says what the
// caller does next, the context says where it went wrong and grows outward:
//   install release 42: patch: block 7: hash mismatch
//
// No exception crosses a stage; adapters catch third-party ones at their wall. Bugs assert.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace hone {

// What the caller does next.
enum class Code {
  unavailable,           // back off, retry
  no_space,              // free space, retry
  wrong_base,            // ask for the full model
  damaged,               // discard, fetch again
  untrusted,             // refuse, report, never retry blindly
  older_than_installed,  // refuse, report, never retry blindly
  invalid,               // fix the caller's input
  not_found,             // treat as absent
  cancelled,             // stop quietly
};

[[nodiscard]] constexpr std::string_view name_of(Code code) {
  switch (code) {
    case Code::unavailable: return "unavailable";
    case Code::no_space: return "no_space";
    case Code::wrong_base: return "wrong_base";
    case Code::damaged: return "damaged";
    case Code::untrusted: return "untrusted";
    case Code::older_than_installed: return "older_than_installed";
    case Code::invalid: return "invalid";
    case Code::not_found: return "not_found";
    case Code::cancelled: return "cancelled";
  }
  return "unknown";
}

struct Error {
  Error(Code c, std::string what) : code(c), context(std::move(what)) {}

  // The same error with what the caller was doing put in front.
  [[nodiscard]] Error within(std::string_view doing) const {
    return {code, std::string(doing) + ": " + context};
  }

  Code code;
  std::string context;
};

template <class T = void>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(Code code, std::string context) {
  return tl::unexpected<Error>(Error(code, std::move(context)));
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace hone

#define HONE_CONCAT_(a, b) a##b
#define HONE_CONCAT(a, b) HONE_CONCAT_(a, b)

// HONE_TRY(auto bytes, read_file(files, path));   binds the value, or returns the error.
#define HONE_TRY(declaration, expression)                                              \
  auto HONE_CONCAT(hone_try_, __LINE__) = (expression);                                \
  if (!HONE_CONCAT(hone_try_, __LINE__))                                               \
    return ::hone::fail(std::move(HONE_CONCAT(hone_try_, __LINE__)).error());          \
  declaration = std::move(*HONE_CONCAT(hone_try_, __LINE__))

// HONE_CHECK(file->sync());   returns the error, if there is one.
#define HONE_CHECK(expression)                                                         \
  if (auto hone_check_ = (expression); !hone_check_)                                   \
    return ::hone::fail(std::move(hone_check_).error())
