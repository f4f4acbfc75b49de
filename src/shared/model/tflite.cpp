// TFLite: a flatbuffer (schema.fbs of TensorFlow Lite). Followed: Model.subgraphs[].tensors[] to
// Model.buffers[]. Every offset is checked before it is followed.
#include <algorithm>
#include <optional>

#include "shared/model/containers.hpp"

namespace hone::model {
namespace {

class Flatbuffer {
 public:
  explicit Flatbuffer(ByteView file) : file_(file) {}

  [[nodiscard]] std::optional<std::uint64_t> read(std::uint64_t at, unsigned bytes) const {
    if (at > file_.size() || bytes > file_.size() - at) return {};
    std::uint64_t value = 0;
    for (unsigned i = 0; i < bytes; ++i) value |= static_cast<std::uint64_t>(file_[at + i]) << (8 * i);
    return value;
  }
  // The table, vector or string that an offset at `at` leads to.
  [[nodiscard]] std::optional<std::uint64_t> follow(std::uint64_t at) const {
    const auto by = read(at, 4);
    if (!by || *by == 0 || at + *by >= file_.size()) return {};
    return at + *by;
  }
  // Where field `index` of `table` lies; nothing when it has its default.
  [[nodiscard]] std::optional<std::uint64_t> field(std::uint64_t table, unsigned index) const {
    const auto back = read(table, 4);
    if (!back) return {};
    const auto signed_back = static_cast<std::int32_t>(static_cast<std::uint32_t>(*back));
    const std::int64_t vtable = static_cast<std::int64_t>(table) - signed_back;
    if (vtable < 0) return {};
    const auto bytes = read(static_cast<std::uint64_t>(vtable), 2);
    const std::uint64_t slot = 4 + 2 * static_cast<std::uint64_t>(index);
    if (!bytes || slot + 2 > *bytes) return {};
    const auto offset = read(static_cast<std::uint64_t>(vtable) + slot, 2);
    if (!offset || *offset == 0) return {};
    return table + *offset;
  }
  [[nodiscard]] std::optional<std::uint64_t> child(std::uint64_t table, unsigned index) const {
    const auto at = field(table, index);
    return at ? follow(*at) : std::nullopt;
  }
  // Elements of a vector, at most as many as the file can hold.
  [[nodiscard]] std::uint64_t count(std::uint64_t vector, unsigned element_bytes) const {
    const auto n = read(vector, 4);
    if (!n || *n > (file_.size() - vector - 4) / element_bytes) return 0;
    return *n;
  }

 private:
  ByteView file_;
};

ElementType element_type(std::uint64_t type) {
  switch (type) {
    case 0: return ElementType::f32;
    case 1: return ElementType::f16;
    case 2: case 15: return ElementType::i32;
    case 3: case 6: return ElementType::u8;
    case 4: case 12: return ElementType::i64;
    case 7: case 16: return ElementType::i16;
    case 9: return ElementType::i8;
    case 10: return ElementType::f64;
    case 17: return ElementType::i4;
    case 18: return ElementType::bf16;
    default: return ElementType::other;
  }
}

}  // namespace

bool find_tflite(ByteView file, std::vector<TensorExtent>& tensors) {
  if (file.size() < 16 || as_text(file.subspan(4, 4)) != "TFL3") return false;
  const Flatbuffer flat(file);
  const auto model = flat.follow(0);
  if (!model) return false;
  const auto graphs = flat.child(*model, 2);
  const auto buffers = flat.child(*model, 4);
  if (!graphs || !buffers) return false;
  const std::uint64_t buffer_count = flat.count(*buffers, 4);
  for (std::uint64_t g = 0; g < flat.count(*graphs, 4) && g < 1024; ++g) {
    const auto graph = flat.follow(*graphs + 4 + 4 * g);
    const auto list = graph ? flat.child(*graph, 0) : std::nullopt;
    if (!list) continue;
    for (std::uint64_t i = 0; i < flat.count(*list, 4) && tensors.size() < kTensorsMax; ++i) {
      const auto tensor = flat.follow(*list + 4 + 4 * i);
      if (!tensor) continue;
      const auto buffer_field = flat.field(*tensor, 2);
      const auto buffer_index = buffer_field ? flat.read(*buffer_field, 4) : std::nullopt;
      if (!buffer_index || *buffer_index == 0 || *buffer_index >= buffer_count) continue;
      const auto buffer = flat.follow(*buffers + 4 + 4 * *buffer_index);
      if (!buffer) continue;
      TensorExtent extent;
      const auto type_field = flat.field(*tensor, 1);
      extent.type = element_type(type_field ? flat.read(*type_field, 1).value_or(255) : 0);
      if (const auto data = flat.child(*buffer, 0)) {
        extent.offset = *data + 4;
        extent.bytes = flat.count(*data, 1);
      } else {  // large models keep their data behind the flatbuffer
        const auto offset = flat.field(*buffer, 1);
        const auto size = flat.field(*buffer, 2);
        if (!offset || !size) continue;
        extent.offset = flat.read(*offset, 8).value_or(0);
        extent.bytes = flat.read(*size, 8).value_or(0);
      }
      if (extent.bytes == 0) continue;
      if (const auto name = flat.child(*tensor, 3)) {
        const std::uint64_t bytes = std::min<std::uint64_t>(flat.count(*name, 1), 4096);
        extent.name = to_string(file.subspan(*name + 4, bytes));
      }
      if (const auto shape = flat.child(*tensor, 0)) {
        for (std::uint64_t k = 0; k < flat.count(*shape, 4) && k < 16; ++k)
          extent.shape.push_back(static_cast<std::int32_t>(static_cast<std::uint32_t>(flat.read(*shape + 4 + 4 * k, 4).value_or(0))));
      }
      tensors.push_back(std::move(extent));
    }
  }
  return true;
}

}  // namespace hone::model
