#include "shared/delta/encode/plan.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>

#include "shared/model/tensors.hpp"

namespace hone::delta {
namespace {

using model::ElementType;
using model::TensorExtent;

constexpr std::uint64_t kTensorMin = 16;  // shorter ones are not worth an operation

std::optional<Type> type_of(ElementType type) {
  switch (type) {
    case ElementType::f32: return Type::f32;
    case ElementType::f16: return Type::f16;
    case ElementType::bf16: return Type::bf16;
    case ElementType::f64: return Type::f64;
    case ElementType::i8: return Type::i8;
    case ElementType::u8: return Type::u8;
    case ElementType::i16: return Type::i16;
    case ElementType::i32: return Type::i32;
    case ElementType::i4: return Type::u8;
    case ElementType::i64:
    case ElementType::other: break;
  }
  return {};
}

ByteView view_of(ByteView file, const TensorExtent& tensor) { return file.subspan(tensor.offset, tensor.bytes); }

std::string key_by_name(const TensorExtent& t) {
  std::string key = t.name + '\0' + std::to_string(static_cast<int>(t.type)) + '/' + std::to_string(t.bytes);
  for (const auto n : t.shape) key += ',' + std::to_string(n);
  return key;
}
std::string key_by_kind(const TensorExtent& t) {
  return std::to_string(static_cast<int>(t.type)) + '/' + std::to_string(t.bytes);
}

// For each target tensor the base tensor that it probably came from, or -1: by name, type and
// shape; those left over by type and size, in file order.
std::vector<std::ptrdiff_t> match_tensors(const std::vector<TensorExtent>& base, const std::vector<TensorExtent>& target) {
  std::unordered_multimap<std::string, std::size_t> by_name;
  for (std::size_t i = 0; i < base.size(); ++i)
    if (!base[i].name.empty()) by_name.emplace(key_by_name(base[i]), i);
  std::vector<bool> taken(base.size(), false);
  std::vector<std::ptrdiff_t> partner(target.size(), -1);
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (target[i].name.empty()) continue;
    if (const auto found = by_name.find(key_by_name(target[i])); found != by_name.end()) {
      partner[i] = static_cast<std::ptrdiff_t>(found->second);
      taken[found->second] = true;
      by_name.erase(found);
    }
  }
  std::map<std::string, std::vector<std::size_t>> left;
  for (std::size_t i = base.size(); i-- > 0;)
    if (!taken[i]) left[key_by_kind(base[i])].push_back(i);
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (partner[i] >= 0) continue;
    auto& candidates = left[key_by_kind(target[i])];
    if (candidates.empty()) continue;
    partner[i] = static_cast<std::ptrdiff_t>(candidates.back());
    candidates.pop_back();
  }
  return partner;
}

}  // namespace

std::vector<Segment> plan_segments(ByteView base, ByteView target) {
  const auto in_base = model::find_tensors(base).tensors;
  const auto in_target = model::find_tensors(target).tensors;
  const auto partner = match_tensors(in_base, in_target);

  std::vector<Segment> segments;
  std::uint64_t at = 0;
  const auto generic_up_to = [&](std::uint64_t end) {
    if (end > at) segments.push_back({at, end - at, false, Type::count, false, 0, {}});
    at = end;
  };
  for (std::size_t i = 0; i < in_target.size(); ++i) {
    const TensorExtent& tensor = in_target[i];
    const auto type = type_of(tensor.type);
    if (!type || tensor.bytes < kTensorMin || tensor.bytes % info_of(*type).width != 0) continue;
    Segment segment{tensor.offset, tensor.bytes, true, *type, partner[i] >= 0, 0, tensor.name};
    if (segment.has_base) {
      const TensorExtent& from = in_base[static_cast<std::size_t>(partner[i])];
      segment.base_offset = from.offset;
      if (std::memcmp(view_of(base, from).data(), view_of(target, tensor).data(), tensor.bytes) == 0) continue;
    }
    generic_up_to(tensor.offset);
    segments.push_back(std::move(segment));
    at = tensor.offset + tensor.bytes;
  }
  generic_up_to(target.size());
  return segments;
}

}  // namespace hone::delta
