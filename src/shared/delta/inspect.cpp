#include "shared/delta/inspect.hpp"

#include <array>
#include <utility>

#include "shared/delta/apply.hpp"
#include "shared/delta/format/elements.hpp"
#include "shared/delta/traced_apply.hpp"
#include "shared/model/tensors.hpp"

namespace hone::delta {
namespace {

constexpr std::array kModes{"generic", "copy", "residual", "intra", "stored", "lattice", "low-rank"};
constexpr std::array kTypes{"f32", "f16", "bf16", "f64", "i8", "u8", "i16", "i32"};

}  // namespace

Result<Inspection> inspect(ByteView patch, const Bytes* base) {
  Inspection seen;
  if (const Status read = read_header(patch.data(), patch.size(), seen.header); read != Status::ok) return fail(error_of(read));
  if (base == nullptr) return seen;

  std::vector<TracedOperation> trace;
  HONE_TRY(const Bytes target, traced_apply(*base, patch, kFileBytesMax, &trace));
  const auto tensors = model::find_tensors(target).tensors;
  std::size_t next = 0;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const TracedOperation& op = trace[i];
    const std::uint64_t end = i + 1 < trace.size() ? trace[i + 1].patch_offset : patch.size();
    InspectedPart part;
    part.mode = kModes[static_cast<std::size_t>(op.operation.op)];
    part.offset = op.target_offset;
    part.target_bytes = part.elements = op.operation.bytes;
    part.patch_bytes = static_cast<double>(end - op.patch_offset);
    if (has_values(op.operation.op)) {
      part.dtype = kTypes[static_cast<std::size_t>(op.operation.type)];
      part.elements /= info_of(op.operation.type).width;
      while (next < tensors.size() && tensors[next].offset + tensors[next].bytes <= part.offset) ++next;
      if (next < tensors.size() && tensors[next].offset <= part.offset) part.name = tensors[next].name;
    }
    seen.parts.push_back(std::move(part));
  }
  return seen;
}

}  // namespace hone::delta
