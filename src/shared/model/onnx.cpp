// ONNX: a protobuf ModelProto (onnx.proto3). Only the fields that lead to TensorProto are followed:
// graph initialisers, and constants in nodes, also those of subgraphs.
#include <algorithm>
#include <optional>

#include "shared/model/containers.hpp"

namespace hone::model {
namespace {

constexpr int kDepthMax = 16;

// One field of a protobuf message.
struct Field {
  std::uint32_t number = 0;
  std::uint32_t wire = 0;
  std::uint64_t value = 0;      // varint and fixed
  std::uint64_t offset = 0;     // of a length-delimited field, in the file
  std::uint64_t bytes = 0;
};

class Message {
 public:
  Message(ByteView file, std::uint64_t offset, std::uint64_t bytes) : file_(file), at_(offset), end_(offset + bytes) {}

  [[nodiscard]] bool at_end() const { return at_ >= end_; }

  // Nothing at a malformed field.
  std::optional<Field> next() {
    std::uint64_t key = 0;
    if (!varint(key)) return {};
    Field field{static_cast<std::uint32_t>(key >> 3), static_cast<std::uint32_t>(key & 7), 0, 0, 0};
    if (field.number == 0 || key >> 32 != 0) return {};
    switch (field.wire) {
      case 0:
        if (!varint(field.value)) return {};
        return field;
      case 1: return fixed(field, 8);
      case 5: return fixed(field, 4);
      case 2:
        if (!varint(field.bytes) || field.bytes > end_ - at_) return {};
        field.offset = at_;
        at_ += field.bytes;
        return field;
      default: return {};
    }
  }

  bool varint(std::uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 64 && at_ < end_; shift += 7) {
      const std::uint8_t byte = file_[at_++];
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) return true;
    }
    return false;
  }

 private:
  std::optional<Field> fixed(Field field, unsigned bytes) {
    if (end_ - at_ < bytes) return {};
    for (unsigned i = 0; i < bytes; ++i) field.value |= static_cast<std::uint64_t>(file_[at_ + i]) << (8 * i);
    at_ += bytes;
    return field;
  }

  ByteView file_;
  std::uint64_t at_;
  std::uint64_t end_;
};

ElementType element_type(std::uint64_t onnx_type) {
  switch (onnx_type) {
    case 1: return ElementType::f32;
    case 2: return ElementType::u8;
    case 3: return ElementType::i8;
    case 4: return ElementType::i16;  // unsigned
    case 5: return ElementType::i16;
    case 6: return ElementType::i32;
    case 7: return ElementType::i64;
    case 10: return ElementType::f16;
    case 11: return ElementType::f64;
    case 12: return ElementType::i32;  // unsigned
    case 13: return ElementType::i64;  // unsigned
    case 16: return ElementType::bf16;
    case 21: case 22: return ElementType::i4;
    default: return ElementType::other;
  }
}

class Finder {
 public:
  Finder(ByteView file, std::vector<TensorExtent>& tensors) : file_(file), tensors_(tensors) {}

  bool model(std::uint64_t offset, std::uint64_t bytes) {
    Message message(file_, offset, bytes);
    bool has_graph = false;
    while (!message.at_end()) {
      const auto field = message.next();
      if (!field) return has_graph;  // a torn tail does not spoil what came before
      if (field->number == 7 && field->wire == 2) has_graph = graph(*field, 1) || has_graph;
    }
    return has_graph;
  }

 private:
  bool graph(const Field& in, int depth) {
    if (depth > kDepthMax) return false;
    Message message(file_, in.offset, in.bytes);
    while (!message.at_end()) {
      const auto field = message.next();
      if (!field) return false;
      if (field->wire != 2) continue;
      if (field->number == 1) node(*field, depth);
      if (field->number == 5) tensor(*field);
    }
    return true;
  }

  void node(const Field& in, int depth) {
    Message message(file_, in.offset, in.bytes);
    while (!message.at_end()) {
      const auto field = message.next();
      if (!field) return;
      if (field->number == 5 && field->wire == 2) attribute(*field, depth);
    }
  }

  void attribute(const Field& in, int depth) {
    Message message(file_, in.offset, in.bytes);
    while (!message.at_end()) {
      const auto field = message.next();
      if (!field) return;
      if (field->wire != 2) continue;
      if (field->number == 5 || field->number == 10) tensor(*field);                 // t, tensors
      if (field->number == 6 || field->number == 11) (void)graph(*field, depth + 1);  // g, graphs
    }
  }

  void tensor(const Field& in) {
    if (tensors_.size() >= kTensorsMax) return;
    Message message(file_, in.offset, in.bytes);
    TensorExtent extent;
    bool external = false;
    while (!message.at_end()) {
      const auto field = message.next();
      if (!field) return;
      if (field->number == 1 && field->wire == 0) extent.shape.push_back(static_cast<std::int64_t>(field->value));
      if (field->number == 1 && field->wire == 2) {
        Message dims(file_, field->offset, field->bytes);
        std::uint64_t value = 0;
        while (!dims.at_end() && dims.varint(value)) extent.shape.push_back(static_cast<std::int64_t>(value));
      }
      if (field->number == 2 && field->wire == 0) extent.type = element_type(field->value);
      if (field->number == 8 && field->wire == 2)
        extent.name = to_string(file_.subspan(field->offset, std::min<std::uint64_t>(field->bytes, 4096)));
      // raw_data, float_data, double_data: packed little-endian elements. The integers of int32_data and
      // int64_data are varints, which are left to what reads plain bytes.
      if (field->wire == 2 && (field->number == 9 || field->number == 4 || field->number == 10)) {
        extent.offset = field->offset;
        extent.bytes = field->bytes;
      }
      if (field->number == 14 && field->wire == 0 && field->value == 1) external = true;
    }
    if (!external && extent.bytes > 0) tensors_.push_back(std::move(extent));
  }

  ByteView file_;
  std::vector<TensorExtent>& tensors_;
};

}  // namespace

bool find_onnx(ByteView file, std::vector<TensorExtent>& tensors) {
  // A ModelProto begins with ir_version (field 1, varint) in all writers that are known.
  if (file.size() < 8 || file[0] != 0x08) return false;
  return Finder(file, tensors).model(0, file.size());
}

}  // namespace hone::model
