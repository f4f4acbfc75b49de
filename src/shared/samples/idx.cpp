#include "shared/samples/idx.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace hone::samples {
namespace {

using wire::DType;

std::optional<DType> dtype_of(std::uint8_t code) {
  switch (code) {
    case 0x08: return DType::uint8;
    case 0x09: return DType::int8;
    case 0x0B: return DType::int16;
    case 0x0C: return DType::int32;
    case 0x0D: return DType::float32;
    default: return std::nullopt;
  }
}

}  // namespace

Result<IdxTensor> parse_idx(ByteView file) {
  if (file.size() >= 2 && file[0] == 0x1F && file[1] == 0x8B)
    return fail(Code::invalid, "this is a gzip file: unpack it with gunzip first");
  if (file.size() < 4 || file[0] != 0 || file[1] != 0) return fail(Code::invalid, "this is no IDX file");
  IdxTensor tensor;
  const auto dtype = dtype_of(file[2]);
  if (!dtype) return fail(Code::invalid, "IDX type " + std::to_string(file[2]) + " is none that a signal can have");
  tensor.dtype = *dtype;
  const std::size_t rank = file[3];
  if (rank < 1 || rank > kIdxRankMax) return fail(Code::invalid, "an IDX file of rank " + std::to_string(rank) + " is not read here");
  const std::size_t header = 4 + 4 * rank;
  if (file.size() < header) return fail(Code::invalid, "the IDX file ends within its header");

  const std::size_t element = wire::size_of(tensor.dtype);
  const std::uint64_t elements_max = (file.size() - header) / element;
  std::uint64_t elements = 1;  // stays within what the file can hold, so no product overflows
  for (std::size_t i = 0; i < rank; ++i) {
    const std::uint8_t* at = file.data() + 4 + 4 * i;
    const std::uint32_t extent = std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | at[3];
    if (extent != 0 && elements > elements_max / extent)
      return fail(Code::invalid, "the IDX file is shorter than its header says: was it cut off?");
    elements *= extent;
    tensor.shape.push_back(extent);
  }
  if (file.size() != header + elements * element)
    return fail(Code::invalid, "the IDX file is not as long as its header says");
  tensor.data.assign(file.begin() + static_cast<std::ptrdiff_t>(header), file.end());
  if (element > 1)
    for (std::size_t i = 0; i < tensor.data.size(); i += element)
      std::reverse(tensor.data.begin() + static_cast<std::ptrdiff_t>(i), tensor.data.begin() + static_cast<std::ptrdiff_t>(i + element));
  return tensor;
}

}  // namespace hone::samples
