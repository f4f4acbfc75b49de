#include "trainer/rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "shared/wire/batch.hpp"

namespace hone::trainer {
namespace {

constexpr std::uint64_t kValidationOneIn = 10;
constexpr double kValidationShare = 0.1;  // of the blocks of a stream
constexpr std::size_t kValidationRowsMin = 8;

std::uint64_t mixed(std::uint64_t z) {  // the finaliser of splitmix64 (Steele et al. 2014)
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

// Not for adversaries: it only has to spread samples evenly and never change.
std::uint64_t content_hash(ByteView sample) {
  std::uint64_t hash = 0x686f6e652d76616cULL;
  std::size_t at = 0;
  for (; at + 8 <= sample.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, sample.data() + at, 8);
    hash = mixed(hash ^ word) + 0x9e3779b97f4a7c15ULL;
  }
  std::uint64_t tail = sample.size();
  for (; at < sample.size(); ++at) tail = (tail << 8) | sample[at];
  return mixed(hash ^ tail);
}

bool holds_only_numbers(ByteView sample) {
  for (std::size_t at = 0; at < sample.size(); at += sizeof(float)) {
    float value = 0;
    std::memcpy(&value, sample.data() + at, sizeof value);
    if (!std::isfinite(value)) return false;
  }
  return true;
}

Sensed sensed(const Rows& rows, std::size_t row) {
  if (!rows.sensed.empty()) return rows.sensed[row];
  const double seconds = static_cast<double>(row) * static_cast<double>(rows.stream->stride) / rows.stream->rate_hz;
  return {static_cast<std::int64_t>(1000 * seconds), 0};
}

// nullopt: on neither side.
std::optional<bool> validates(const Rows& rows, std::size_t row) {
  if (!rows.stream) return content_hash(rows.sample(row)) % kValidationOneIn == 0;
  const Sensed when = sensed(rows, row);
  return wire::set_apart(wire::time_blocks(*rows.stream), "hone.validation.block.1", std::to_string(when.device),
                         when.t_ms, kValidationShare);
}

template <class Keep>
Rows rows_where(const Rows& rows, const Keep& keep) {
  Rows kept;
  kept.signal = rows.signal;
  kept.stream = rows.stream;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    if (!keep(row)) continue;
    const ByteView sample = rows.sample(row);
    kept.x.insert(kept.x.end(), sample.begin(), sample.end());
    kept.y.push_back(rows.y[row]);
    if (rows.stream) kept.sensed.push_back(sensed(rows, row));
  }
  return kept;
}

}  // namespace

double rows_without_overlap(const Rows& rows) {
  const auto count = static_cast<double>(rows.rows());
  if (!rows.stream || rows.stream->stride >= rows.stream->window) return count;
  return count * static_cast<double>(rows.stream->stride) / static_cast<double>(rows.stream->window);
}

std::optional<Rows> finite_rows(const Rows& rows) {
  if (rows.signal.dtype != wire::DType::float32 || rows.x.size() != rows.rows() * rows.signal.sample_bytes())
    return std::nullopt;
  if (holds_only_numbers(rows.x)) return std::nullopt;
  return rows_where(rows, [&](std::size_t row) { return holds_only_numbers(rows.sample(row)); });
}

std::optional<Rows> labelled_rows(const Rows& rows) {
  const bool all = std::none_of(rows.y.begin(), rows.y.end(), [](std::int64_t label) { return label == wire::kNoLabel; });
  if (all || rows.x.size() != rows.rows() * rows.signal.sample_bytes()) return std::nullopt;
  return rows_where(rows, [&](std::size_t row) { return rows.y[row] != wire::kNoLabel; });
}

Split split_by_content(const Rows& rows) {
  Split split;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    const std::optional<bool> validation = validates(rows, row);
    if (validation) (*validation ? split.validation : split.fit).push_back(static_cast<std::int64_t>(row));
  }
  if (split.validation.size() >= kValidationRowsMin && !split.fit.empty()) return split;
  split.fit.clear();
  for (std::size_t row = 0; row < rows.rows(); ++row) split.fit.push_back(static_cast<std::int64_t>(row));
  split.validation = split.fit;
  return split;
}

}  // namespace hone::trainer
