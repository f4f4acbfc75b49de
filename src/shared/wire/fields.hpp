// Reads the keys of one JSON object into a value, bounded. The first thing that is wrong is kept
// and all reads after it do nothing, so that a reader is one line a key:
//
//   Fields fields("offer", json);
//   fields.text("note", offer.note, 512);
//   return fields.finish(std::move(offer));      // "offer: 'note' is longer than 512 bytes"
//
// For the readers inside wire/ only, clip() apart. Keys that are not asked for are ignored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace hone::wire {

constexpr std::size_t kTextBytesMax = 512;  // reasons, notes, names
constexpr std::size_t kPemBytesMax = std::size_t{64} * 1024;
constexpr std::int64_t kCountMax = std::int64_t{1} << 53;  // exact in every JSON reader
constexpr std::int64_t kTimeMsMax = 253'402'300'799'999;   // the end of the year 9999
constexpr std::int64_t kDurationMsMax = std::int64_t{366} * 24 * 3600 * 1000;

// At most `bytes_max` bytes of `text`, cut between two UTF-8 characters: a sender clips what it
// reports, so that the receiver's bound never costs the whole message.
[[nodiscard]] std::string clip(std::string_view text, std::size_t bytes_max);

class Fields {
 public:
  Fields(std::string what, const Json& json);

  [[nodiscard]] bool has(std::string_view key) const;  // present and not null

  void text(std::string_view key, std::string& out, std::size_t bytes_max);
  void integer(std::string_view key, std::int64_t& out, std::int64_t min, std::int64_t max);
  void count(std::string_view key, std::uint64_t& out);  // up to kCountMax
  void any_u64(std::string_view key, std::uint64_t& out);
  void number(std::string_view key, double& out, double min, double max);
  void flag(std::string_view key, bool& out);
  void duration(std::string_view key, Duration& out);                   // ms
  void time(std::string_view key, Time& out);                           // Unix ms
  void sha256(std::string_view key, Sha256& out);                       // hex
  void bytes(std::string_view key, Bytes& out, std::size_t bytes_max);  // base64
  void release(std::string_view key, ReleaseSeq& out);
  void pipeline(std::string_view key, PipelineName& out);
  template <class Tag>
  void name(std::string_view key, Name<Tag>& out) {
    text(key, out.value, 64);
    if (!error_ && out.value.empty()) fail_key(key, "is empty");
  }
  template <class Tag>
  void digest(std::string_view key, Digest<Tag>& out) {
    sha256(key, out.sha256);
  }

  // Null after an error.
  [[nodiscard]] const Json* array(std::string_view key, std::size_t items_max);
  [[nodiscard]] const Json* object(std::string_view key);

  void fail_key(std::string_view key, std::string_view problem);
  void fail_with(Error error);
  template <class T>
  void take(Result<T> result, T& out) {
    if (result)
      out = std::move(*result);
    else
      fail_with(std::move(result).error());
  }

  [[nodiscard]] bool failed() const { return error_.has_value(); }
  template <class T>
  [[nodiscard]] Result<T> finish(T value) {
    if (error_) return fail(error_->within(what_));
    return value;
  }

 private:
  std::string what_;
  const Json& json_;
  std::optional<Error> error_;
};

}  // namespace hone::wire
