#include "trainer/rows.hpp"

#include <cmath>
#include <cstring>
#include <string>
#include <utility>

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

// In place: a dataset may fill most of the memory.
template <class Keep>
std::size_t keep_rows(Rows& rows, const Keep& keep) {
  const std::size_t count = rows.rows(), sample_bytes = rows.signal.sample_bytes();
  std::vector<Sensed> when;
  std::size_t kept = 0;
  for (std::size_t row = 0; row < count; ++row) {
    if (!keep(row)) continue;
    if (rows.stream) when.push_back(sensed(rows, row));  // the index, which may stand for the time, changes
    if (kept != row) std::memcpy(rows.x.data() + kept * sample_bytes, rows.x.data() + row * sample_bytes, sample_bytes);
    rows.y[kept++] = rows.y[row];
  }
  if (kept == count) return 0;
  rows.x.resize(kept * sample_bytes);
  rows.y.resize(kept);
  rows.sensed = std::move(when);
  return count - kept;
}

bool fits_its_signal(const Rows& rows) { return rows.x.size() == rows.rows() * rows.signal.sample_bytes(); }

}  // namespace

double rows_without_overlap(const Rows& rows) {
  const auto count = static_cast<double>(rows.rows());
  if (!rows.stream || rows.stream->stride >= rows.stream->window) return count;
  return count * static_cast<double>(rows.stream->stride) / static_cast<double>(rows.stream->window);
}

std::size_t drop_rows_without_a_number(Rows& rows) {
  if (rows.signal.dtype != wire::DType::float32 || !fits_its_signal(rows)) return 0;
  return keep_rows(rows, [&](std::size_t row) { return holds_only_numbers(rows.sample(row)); });
}

std::size_t drop_rows_without_a_label(Rows& rows) {
  if (!fits_its_signal(rows)) return 0;
  return keep_rows(rows, [&](std::size_t row) { return rows.y[row] != wire::kNoLabel; });
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
  split.validates_fitted = true;
  return split;
}

}  // namespace hone::trainer
