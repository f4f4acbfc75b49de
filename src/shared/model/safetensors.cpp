// safetensors: eight bytes of header length, a JSON object of tensors, their data.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "shared/model/containers.hpp"

namespace hone::model {
namespace {

constexpr std::uint64_t kHeaderBytesMax = 64u << 20;

ElementType element_type(const std::string& name) {
  if (name == "F32") return ElementType::f32;
  if (name == "F16") return ElementType::f16;
  if (name == "BF16") return ElementType::bf16;
  if (name == "F64") return ElementType::f64;
  if (name == "I8") return ElementType::i8;
  if (name == "U8" || name == "BOOL" || name == "F8_E4M3" || name == "F8_E5M2") return ElementType::u8;
  if (name == "I16" || name == "U16") return ElementType::i16;
  if (name == "I32" || name == "U32") return ElementType::i32;
  if (name == "I64" || name == "U64") return ElementType::i64;
  return ElementType::other;
}

}  // namespace

bool find_safetensors(ByteView file, std::vector<TensorExtent>& tensors) {
  if (file.size() < 10 || file[8] != '{') return false;
  std::uint64_t bytes = 0;
  for (unsigned i = 0; i < 8; ++i) bytes |= static_cast<std::uint64_t>(file[i]) << (8 * i);
  if (bytes > kHeaderBytesMax || bytes > file.size() - 8) return false;
  const auto header = nlohmann::json::parse(file.begin() + 8, file.begin() + 8 + static_cast<std::ptrdiff_t>(bytes), nullptr, false);
  if (!header.is_object()) return false;
  const std::uint64_t data = 8 + bytes;
  for (const auto& [name, value] : header.items()) {
    if (tensors.size() >= kTensorsMax) break;
    if (name == "__metadata__" || !value.is_object()) continue;
    const auto type = value.find("dtype");
    const auto shape = value.find("shape");
    const auto offsets = value.find("data_offsets");
    if (type == value.end() || !type->is_string() || shape == value.end() || !shape->is_array()) continue;
    if (offsets == value.end() || !offsets->is_array() || offsets->size() != 2) continue;
    if (!(*offsets)[0].is_number_unsigned() || !(*offsets)[1].is_number_unsigned()) continue;
    const auto from = (*offsets)[0].get<std::uint64_t>();
    const auto to = (*offsets)[1].get<std::uint64_t>();
    if (to < from || to > file.size() - data) continue;
    TensorExtent extent{name, element_type(type->get_ref<const std::string&>()), {}, data + from, to - from};
    for (const auto& n : *shape)
      if (n.is_number_integer()) extent.shape.push_back(n.get<std::int64_t>());
    tensors.push_back(std::move(extent));
  }
  return true;
}

}  // namespace hone::model
