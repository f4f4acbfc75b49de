#include "shared/wire/safetensors.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/json.hpp"

namespace hone::wire {
namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kTensorsMax = 16;
constexpr std::size_t kRankMax = 8;

struct Type {
  std::string_view name;
  std::uint64_t bytes;
};
constexpr std::array kTypes{Type{"U8", 1},  Type{"I8", 1},  Type{"I16", 2}, Type{"I32", 4},
                            Type{"I64", 8}, Type{"F32", 4}, Type{"F64", 8}};

tl::unexpected<Error> malformed(std::string_view why) {
  return fail(Code::invalid, "not a safetensors file that hone reads: " + std::string(why));
}

std::optional<std::uint64_t> whole_number(const Json& json) {
  if (!json.is_number_unsigned()) return std::nullopt;
  return json.get<std::uint64_t>();
}

// The tensor that the header describes, cut out of `data`.
Result<TensorView> tensor_from(const std::string& name, const Json& entry, ByteView data) {
  TensorView tensor;
  tensor.name = name;
  HONE_TRY(tensor.dtype, get_string(entry, "dtype"));
  const auto type = std::find_if(kTypes.begin(), kTypes.end(), [&](const Type& t) { return t.name == tensor.dtype; });
  if (type == kTypes.end()) return malformed("a tensor's dtype is none of U8 I8 I16 I32 I64 F32 F64");

  HONE_TRY(const Json* shape, get_array(entry, "shape"));
  if (shape->size() > kRankMax) return malformed("a tensor has more than 8 axes");
  std::uint64_t bytes = type->bytes;
  for (const Json& axis : *shape) {
    const auto extent = whole_number(axis);
    if (!extent || *extent > data.size()) return malformed("a tensor's shape does not fit the file");
    if (*extent != 0 && bytes > data.size() / *extent) return malformed("a tensor's shape does not fit the file");
    bytes *= *extent;
    tensor.shape.push_back(static_cast<std::int64_t>(*extent));
  }

  HONE_TRY(const Json* offsets, get_array(entry, "data_offsets"));
  if (offsets->size() != 2) return malformed("data_offsets must be two numbers");
  const auto begin = whole_number((*offsets)[0]);
  const auto end = whole_number((*offsets)[1]);
  if (!begin || !end || *begin > *end || *end > data.size()) return malformed("a tensor lies outside the file");
  if (*end - *begin != bytes) return malformed("a tensor's size does not fit its shape and dtype");
  tensor.bytes = data.subspan(static_cast<std::size_t>(*begin), static_cast<std::size_t>(bytes));
  return tensor;
}

Result<> check_coverage(const SafetensorsView& view, ByteView data) {
  std::vector<ByteView> pieces;
  for (const auto& [name, tensor] : view.tensors) pieces.push_back(tensor.bytes);
  // An empty piece may share its begin with the next one: the shorter goes first.
  std::sort(pieces.begin(), pieces.end(),
            [](ByteView a, ByteView b) { return a.data() != b.data() ? a.data() < b.data() : a.size() < b.size(); });
  const std::uint8_t* expected = data.data();
  for (const ByteView piece : pieces) {
    if (piece.data() != expected) return malformed("its tensors overlap or leave gaps");
    expected += piece.size();
  }
  if (expected != data.data() + data.size()) return malformed("bytes follow its last tensor");
  return {};
}

}  // namespace

Bytes write_safetensors(const std::map<std::string, std::string, std::less<>>& metadata,
                        const std::vector<TensorView>& tensors) {
  Json header = Json::object();
  for (const auto& [key, value] : metadata) header["__metadata__"][key] = value;
  std::size_t data_bytes = 0;
  for (const TensorView& tensor : tensors) {
    const std::size_t end = data_bytes + tensor.bytes.size();
    header[tensor.name] = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {data_bytes, end}}};
    data_bytes = end;
  }
  Bytes text = dump_bytes(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');

  Bytes file;
  file.reserve(kLengthBytes + text.size() + data_bytes);
  for (std::size_t i = 0; i < kLengthBytes; ++i)
    file.push_back(static_cast<std::uint8_t>(static_cast<std::uint64_t>(text.size()) >> (8 * i)));
  file.insert(file.end(), text.begin(), text.end());
  for (const TensorView& tensor : tensors) file.insert(file.end(), tensor.bytes.begin(), tensor.bytes.end());
  return file;
}

Result<SafetensorsView> parse_safetensors(ByteView file) {
  if (file.size() < kLengthBytes) return malformed("it is too short");
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) length |= static_cast<std::uint64_t>(file[i]) << (8 * i);
  if (length > kSafetensorsHeaderBytesMax) return malformed("its header is longer than 65536 bytes");
  if (length > file.size() - kLengthBytes) return malformed("it ends inside its header");
  const ByteView text = file.subspan(kLengthBytes, static_cast<std::size_t>(length));
  const ByteView data = file.subspan(kLengthBytes + static_cast<std::size_t>(length));
  if (text.empty() || text[0] != '{') return malformed("its header must begin with '{'");

  HONE_TRY(const Json header, parse_json(text));
  SafetensorsView view;
  for (const auto& [name, entry] : header.items()) {
    if (!entry.is_object()) return malformed("its header must hold objects");
    if (name == "__metadata__") {
      for (const auto& [key, value] : entry.items()) {
        if (!value.is_string()) return malformed("its metadata must hold strings");
        view.metadata.emplace(key, value.get<std::string>());
      }
      continue;
    }
    if (view.tensors.size() == kTensorsMax) return malformed("it holds more than 16 tensors");
    HONE_TRY(TensorView tensor, tensor_from(name, entry, data));
    view.tensors.emplace(name, std::move(tensor));
  }
  HONE_CHECK(check_coverage(view, data));
  return view;
}

}  // namespace hone::wire
