#include "shared/model/tensors.hpp"

#include <algorithm>

#include "shared/model/containers.hpp"

namespace hone::model {

std::string_view name_of(ElementType type) {
  switch (type) {
    case ElementType::f32: return "f32";
    case ElementType::f16: return "f16";
    case ElementType::bf16: return "bf16";
    case ElementType::f64: return "f64";
    case ElementType::i8: return "i8";
    case ElementType::u8: return "u8";
    case ElementType::i16: return "i16";
    case ElementType::i32: return "i32";
    case ElementType::i64: return "i64";
    case ElementType::i4: return "i4";
    case ElementType::other: break;
  }
  return "other";
}

std::uint32_t bits_of(ElementType type) {
  switch (type) {
    case ElementType::f64:
    case ElementType::i64: return 64;
    case ElementType::f32:
    case ElementType::i32: return 32;
    case ElementType::f16:
    case ElementType::bf16:
    case ElementType::i16: return 16;
    case ElementType::i8:
    case ElementType::u8: return 8;
    case ElementType::i4: return 4;
    case ElementType::other: break;
  }
  return 0;
}

std::string_view name_of(Container container) {
  switch (container) {
    case Container::onnx: return "onnx";
    case Container::safetensors: return "safetensors";
    case Container::tflite: return "tflite";
    case Container::pytorch: return "pytorch";
    case Container::numpy: return "numpy";
    case Container::zip: return "zip";
    case Container::unknown: break;
  }
  return "unknown";
}

TensorMap find_tensors(ByteView file) {
  TensorMap map;
  if (find_safetensors(file, map.tensors)) map.container = Container::safetensors;
  else if (find_tflite(file, map.tensors)) map.container = Container::tflite;
  else if (find_zip(file, map.tensors, map.container)) {}
  else if (find_pytorch_legacy(file, map.tensors)) map.container = Container::pytorch;
  else if (find_npy(file, map.tensors)) map.container = Container::numpy;
  else if (find_onnx(file, map.tensors)) map.container = Container::onnx;
  // Hostile files may point twice at the same bytes: the first one keeps them.
  auto& tensors = map.tensors;
  std::stable_sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
  std::uint64_t end = 0;
  std::erase_if(tensors, [&](const TensorExtent& t) {
    if (t.bytes == 0 || t.offset < end || t.offset > file.size() || t.bytes > file.size() - t.offset) return true;
    end = t.offset + t.bytes;
    return false;
  });
  if (map.container == Container::unknown) tensors.clear();
  return map;
}

}  // namespace hone::model
