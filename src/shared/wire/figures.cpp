#include "shared/wire/figures.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <string>

#include "shared/wire/npy.hpp"

namespace hone::wire {
namespace {

constexpr std::uint64_t kHeaderBytesMax = 4096 + 16;

template <class Float>
std::vector<double> elements(ByteView bytes) {
  static_assert(std::endian::native == std::endian::little);
  std::vector<double> values(bytes.size() / sizeof(Float));
  for (std::size_t i = 0; i < values.size(); ++i) {
    Float value = 0;
    std::memcpy(&value, bytes.data() + i * sizeof(Float), sizeof value);
    values[i] = static_cast<double>(value);
  }
  return values;
}

}  // namespace

std::uint64_t figures_bytes_max(std::int64_t rows) {
  return kHeaderBytesMax + static_cast<std::uint64_t>(rows) * sizeof(double);
}

Result<std::vector<double>> figures_from_npy(ByteView npy, std::int64_t rows) {
  HONE_TRY(const NpyHeader header, parse_npy(npy, npy.size()));
  if (header.descr != "<f4" && header.descr != "<f8")
    return fail(Code::invalid, "the figures are of type " + header.descr + "; <f4 or <f8 are taken");
  if (header.shape.size() != 1)
    return fail(Code::invalid, "the figures have " + std::to_string(header.shape.size()) +
                                   " axes; one is taken, with a figure for each holdout row");
  if (header.shape[0] != rows)
    return fail(Code::invalid, "there are " + std::to_string(header.shape[0]) + " figures for " + std::to_string(rows) +
                                   " holdout rows");
  const ByteView data = npy.subspan(header.data_offset, header.data_bytes);
  std::vector<double> figures = header.descr == "<f4" ? elements<float>(data) : elements<double>(data);
  for (std::size_t row = 0; row < figures.size(); ++row)
    if (!std::isfinite(figures[row]))
      return fail(Code::invalid, "the figure of holdout row " + std::to_string(row) + " is NaN or infinite");
  return figures;
}

}  // namespace hone::wire
