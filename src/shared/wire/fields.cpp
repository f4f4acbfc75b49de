#include "shared/wire/fields.hpp"

#include <cmath>

namespace hone::wire {
namespace {

std::string decimal(double value) {
  const auto whole = static_cast<std::int64_t>(std::abs(value) < 1e15 ? value : 0.0);
  if (static_cast<double>(whole) == value) return std::to_string(whole);
  return std::to_string(value);
}

}  // namespace

std::string clip(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  const auto continues = [&](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80; };
  std::size_t end = bytes_max;
  while (end > 0 && bytes_max - end < 4 && continues(end)) --end;
  return std::string(text.substr(0, end));
}

Fields::Fields(std::string what, const Json& json) : what_(std::move(what)), json_(json) {
  if (!json.is_object()) error_ = Error(Code::invalid, "this must be a JSON object");
}

bool Fields::has(std::string_view key) const {
  if (!json_.is_object()) return false;
  const auto found = json_.find(key);
  return found != json_.end() && !found->is_null();
}

void Fields::fail_key(std::string_view key, std::string_view problem) {
  fail_with(Error(Code::invalid, "'" + std::string(key) + "' " + std::string(problem)));
}

void Fields::fail_with(Error error) {
  if (!error_) error_ = std::move(error);
}

void Fields::text(std::string_view key, std::string& out, std::size_t bytes_max) {
  if (error_) return;
  take(get_string(json_, key), out);
  if (!error_ && out.size() > bytes_max) fail_key(key, "is longer than " + std::to_string(bytes_max) + " bytes");
}

void Fields::integer(std::string_view key, std::int64_t& out, std::int64_t min, std::int64_t max) {
  if (error_) return;
  take(get_int(json_, key), out);
  if (!error_ && (out < min || out > max))
    fail_key(key,
             "must be from " + std::to_string(min) + " to " + std::to_string(max) + ", not " + std::to_string(out));
}

void Fields::count(std::string_view key, std::uint64_t& out) {
  std::int64_t value = 0;
  integer(key, value, 0, kCountMax);
  if (!error_) out = static_cast<std::uint64_t>(value);
}

void Fields::any_u64(std::string_view key, std::uint64_t& out) {
  if (error_) return;
  const auto found = json_.find(key);
  if (found == json_.end() || !found->is_number_unsigned())
    return fail_key(key, "must be a whole number, not negative");
  out = found->get<std::uint64_t>();
}

void Fields::number(std::string_view key, double& out, double min, double max) {
  if (error_) return;
  take(get_number(json_, key), out);
  if (!error_ && !(out >= min && out <= max)) fail_key(key, "must be from " + decimal(min) + " to " + decimal(max));
}

void Fields::flag(std::string_view key, bool& out) {
  if (!error_) take(get_bool(json_, key), out);
}

void Fields::duration(std::string_view key, Duration& out) {
  std::int64_t ms = 0;
  integer(key, ms, 0, kDurationMsMax);
  if (!error_) out = Duration(ms);
}

void Fields::time(std::string_view key, Time& out) {
  std::int64_t ms = 0;
  integer(key, ms, 0, kTimeMsMax);
  if (!error_) out = from_unix_ms(ms);
}

void Fields::sha256(std::string_view key, Sha256& out) {
  std::string hex;
  text(key, hex, 64);
  if (error_) return;
  auto parsed = Sha256::from_hex(hex);
  if (!parsed) return fail_key(key, "must be a SHA-256 of 64 hex digits");
  out = *parsed;
}

void Fields::bytes(std::string_view key, Bytes& out, std::size_t bytes_max) {
  std::string base64;
  text(key, base64, (bytes_max + 2) / 3 * 4);
  if (error_) return;
  auto parsed = from_base64(base64);
  if (!parsed) return fail_key(key, "must be base64");
  if (parsed->size() > bytes_max) return fail_key(key, "holds more than " + std::to_string(bytes_max) + " bytes");
  out = std::move(*parsed);
}

void Fields::release(std::string_view key, ReleaseSeq& out) {
  count(key, out.value);
}

void Fields::pipeline(std::string_view key, PipelineName& out) {
  text(key, out.value, 64);
  if (!error_ && !is_plain_name(out.value))
    fail_key(key, "must be a plain name: 1 to 64 of a-z, 0-9, '_' and '-', starting with a letter");
}

const Json* Fields::array(std::string_view key, std::size_t items_max) {
  if (error_) return nullptr;
  auto found = get_array(json_, key);
  if (!found) return fail_with(std::move(found).error()), nullptr;
  if ((*found)->size() > items_max) {
    fail_key(key, "has more than " + std::to_string(items_max) + " items");
    return nullptr;
  }
  return *found;
}

const Json* Fields::object(std::string_view key) {
  if (error_) return nullptr;
  auto found = get_object(json_, key);
  if (!found) return fail_with(std::move(found).error()), nullptr;
  return *found;
}

}  // namespace hone::wire
