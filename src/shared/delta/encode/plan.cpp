#include "shared/delta/encode/plan.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "shared/delta/encode/readings.hpp"
#include "shared/delta/encode/resized.hpp"
#include "shared/delta/encode/side_by_side.hpp"
#include "shared/delta/encode/value_coder.hpp"
#include "shared/model/float_regions.hpp"
#include "shared/model/tensors.hpp"

namespace hone::delta {
namespace {

using model::ElementType;
using model::TensorExtent;

constexpr std::uint64_t kTensorMin = 16;  // shorter ones are not worth an operation
constexpr std::size_t kCandidatesMax = 64;  // of equal type and size that are compared

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

// The container's tensors, and runs of floats wherever it does not say what there is.
struct FileTensors {
  std::vector<TensorExtent> tensors;
  std::vector<bool> is_guess;  // a run of floats
};
FileTensors all_tensors(ByteView file) {
  FileTensors all;
  std::uint64_t at = 0;
  const auto search_up_to = [&](std::uint64_t end) {
    if (end <= at) return;
    for (auto& region : model::find_float_regions(file.subspan(at, end - at))) {
      region.offset += at;
      all.tensors.push_back(std::move(region));
    }
    all.is_guess.resize(all.tensors.size(), true);
  };
  for (auto& tensor : model::find_tensors(file).tensors) {
    search_up_to(tensor.offset);
    at = tensor.offset + tensor.bytes;
    all.tensors.push_back(std::move(tensor));
    all.is_guess.push_back(false);
  }
  search_up_to(file.size());
  return all;
}

// How far apart two tensors of one type and size are: mean bit length of sampled differences of
// their ordered values, in 1/16 bit.
std::uint64_t distance(Type type, ByteView a, ByteView b) {
  return with_type(type, [&](auto constant) {
    using E = Element<decltype(constant)::value>;
    const std::size_t elements = a.size() / E::width;
    const std::size_t samples = std::min<std::size_t>(elements, 256);
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < samples; ++i) {
      const std::size_t at = i * elements / samples * E::width;
      const std::uint64_t x = E{}.to_ordered(load_element<E::width>(&a[at]));
      const std::uint64_t y = E{}.to_ordered(load_element<E::width>(&b[at]));
      sum += bit_length(x > y ? x - y : y - x);
    }
    return sum * 16 / std::max<std::size_t>(samples, 1);
  });
}

// For each target tensor the base tensor that it probably came from, or -1: by name, type and
// shape; those left over by type, size and likeness, the earlier of equals.
std::vector<std::ptrdiff_t> match_tensors(ByteView base_file, const std::vector<TensorExtent>& base, ByteView target_file,
                                          const std::vector<TensorExtent>& target) {
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
  for (std::size_t i = 0; i < base.size(); ++i)
    if (!taken[i]) left[key_by_kind(base[i])].push_back(i);
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (partner[i] >= 0) continue;
    auto& candidates = left[key_by_kind(target[i])];
    if (candidates.empty()) continue;
    const auto type = type_of(target[i].type);
    if (!type) continue;
    std::size_t best = 0;
    std::uint64_t best_distance = ~std::uint64_t{0};
    for (std::size_t k = 0; k < std::min<std::size_t>(candidates.size(), kCandidatesMax); ++k) {
      const std::uint64_t off = distance(*type, view_of(base_file, base[candidates[k]]), view_of(target_file, target[i]));
      if (off < best_distance) best_distance = off, best = k;
    }
    partner[i] = static_cast<std::ptrdiff_t>(candidates[best]);
    candidates.erase(candidates.begin() + static_cast<std::ptrdiff_t>(best));
  }
  return partner;
}

}  // namespace

std::vector<Segment> plan_segments(ByteView base, ByteView target, unsigned threads) {
  FileTensors files[2];
  side_by_side(2, threads, [&](std::size_t i) { files[i] = all_tensors(i == 0 ? base : target); });
  const auto& in_base = files[0].tensors;
  const auto& [in_target, is_guess] = files[1];
  const auto partner = match_tensors(base, in_base, target, in_target);
  const NumberReader reader(base);
  std::unordered_map<std::string_view, const TensorExtent*> namesakes;  // in the base
  for (const TensorExtent& tensor : in_base)
    if (!tensor.name.empty()) namesakes.emplace(tensor.name, &tensor);

  std::vector<Segment> segments;
  std::uint64_t at = 0;
  std::vector<Suggestion> suggestions;  // from runs of floats since `at`
  const auto generic_up_to = [&](std::uint64_t end) {
    if (end > at) segments.push_back({at, end - at, false, Type::count, false, 0, {}});
    at = end;
  };
  const auto unknown_up_to = [&](std::uint64_t end) {
    for (const Reading& reading : reader.read(target, at, end, suggestions)) {
      generic_up_to(reading.offset);
      segments.push_back({reading.offset, reading.bytes, true, reading.type, reading.has_base, reading.base_offset, {}});
      at = reading.offset + reading.bytes;
    }
    generic_up_to(end);
    suggestions.clear();
  };
  for (std::size_t i = 0; i < in_target.size(); ++i) {
    const TensorExtent& tensor = in_target[i];
    const TensorExtent* from = partner[i] >= 0 ? &in_base[static_cast<std::size_t>(partner[i])] : nullptr;
    if (is_guess[i]) {  // what it is read as is decided by what that costs
      if (from != nullptr) suggestions.push_back({tensor.offset, tensor.bytes, from->offset - tensor.offset});
      continue;
    }
    const auto type = type_of(tensor.type);
    if (!type || tensor.bytes < kTensorMin || tensor.bytes % info_of(*type).width != 0) continue;
    Segment segment{tensor.offset, tensor.bytes, true, *type, from != nullptr, 0, tensor.name};
    if (from != nullptr) {
      segment.base_offset = from->offset;
      if (std::memcmp(view_of(base, *from).data(), view_of(target, tensor).data(), tensor.bytes) == 0) continue;
    }
    unknown_up_to(tensor.offset);
    at = tensor.offset + tensor.bytes;
    const auto namesake = from == nullptr ? namesakes.find(tensor.name) : namesakes.end();
    auto parts = namesake != namesakes.end() && namesake->second->type == tensor.type
                     ? resized_segments(*namesake->second, tensor, *type)
                     : std::vector<Segment>{};
    if (parts.empty()) parts.push_back(std::move(segment));
    segments.insert(segments.end(), parts.begin(), parts.end());
  }
  unknown_up_to(target.size());
  return segments;
}

}  // namespace hone::delta
