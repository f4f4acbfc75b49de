#include "shared/model/pickle.hpp"

#include <algorithm>
#include <utility>

namespace hone::model {
namespace {

constexpr std::size_t kValuesMax = 4'000'000;
constexpr std::size_t kDimensionsMax = 16;

enum class Kind : std::uint8_t { other, mark, number, string, global, sequence, storage, tensor };

struct Value {
  Kind kind = Kind::other;
  std::int64_t number = 0;    // a number; of a tensor its index
  std::string_view text{};    // a string, a global's name, a storage's key
  ElementType type = ElementType::other;  // of a storage
  std::vector<std::uint32_t> items{};     // of a sequence, as indices of values
};

ElementType storage_type(std::string_view name) {
  if (name == "FloatStorage") return ElementType::f32;
  if (name == "HalfStorage") return ElementType::f16;
  if (name == "BFloat16Storage") return ElementType::bf16;
  if (name == "DoubleStorage") return ElementType::f64;
  if (name == "CharStorage" || name == "QInt8Storage") return ElementType::i8;
  if (name == "ByteStorage" || name == "BoolStorage" || name == "QUInt8Storage") return ElementType::u8;
  if (name == "ShortStorage") return ElementType::i16;
  if (name == "IntStorage" || name == "QInt32Storage") return ElementType::i32;
  if (name == "LongStorage") return ElementType::i64;
  return ElementType::other;
}

class Reader {
 public:
  explicit Reader(ByteView bytes) : bytes_(bytes) { values_.emplace_back(); }

  std::optional<Pickle> read() {
    while (at_ < bytes_.size() && values_.size() < kValuesMax) {
      const std::uint8_t opcode = bytes_[at_++];
      if (opcode == '.') return finish();
      if (!step(opcode)) return {};
    }
    return {};
  }

 private:
  std::optional<Pickle> finish() {
    Pickle pickle;
    pickle.bytes = at_;
    if (!stack_.empty())
      for (const std::uint32_t item : values_[stack_.back()].items)
        if (values_[item].kind == Kind::string) pickle.strings.emplace_back(values_[item].text);
    pickle.tensors = std::move(tensors_);
    return pickle;
  }

  bool step(std::uint8_t opcode) {
    switch (opcode) {
      case 0x80: return skip(1);                       // PROTO
      case 0x95: return skip(8);                       // FRAME
      case '(': return push({Kind::mark});
      case 'N': case 0x88: case 0x89: case '}': case 0x8f: return push({});
      case ']': case ')': return push({Kind::sequence});
      case 'G': return skip(8) && push({});
      case 'K': return number(1);
      case 'M': return number(2);
      case 'J': return number(4);
      case 0x8a: return long_number();
      case 'X': case 'T': return text(4, Kind::string);
      case 0x8c: case 'U': return text(1, Kind::string);
      case 0x8d: return text(8, Kind::string);
      case 'C': return text(1, Kind::other);
      case 'B': return text(4, Kind::other);
      case 0x8e: return text(8, Kind::other);
      case 'c': return global();
      case 0x93: return stack_global();
      case 'q': return put(1);
      case 'r': return put(4);
      case 0x94: return put_at(memo_.size());
      case 'h': return get(1);
      case 'j': return get(4);
      case '0': return pop().has_value();
      case '1': return pop_to_mark().has_value();
      case '2': return !stack_.empty() && again(stack_.back());
      case 't': return tuple_of_mark();
      case 0x85: return tuple(1);
      case 0x86: return tuple(2);
      case 0x87: return tuple(3);
      case 'a': return append(1);
      case 'e': return append(0);
      case 's': return set_items(2);
      case 'u': return set_items(0);
      case 'b': return pop().has_value() && !stack_.empty();  // BUILD
      case 0x81: case 'R': return reduce();
      case 'Q': return persistent();
      default: return false;
    }
  }

  bool push(Value value) {
    values_.push_back(std::move(value));
    return again(static_cast<std::uint32_t>(values_.size() - 1));
  }
  bool again(std::uint32_t index) {
    if (stack_.size() >= kValuesMax) return false;
    stack_.push_back(index);
    return true;
  }
  std::optional<std::uint32_t> pop() {
    if (stack_.empty() || values_[stack_.back()].kind == Kind::mark) return {};
    const std::uint32_t top = stack_.back();
    stack_.pop_back();
    return top;
  }
  // What stands above the last mark, which goes too.
  std::optional<std::vector<std::uint32_t>> pop_to_mark() {
    std::size_t from = stack_.size();
    while (from > 0 && values_[stack_[from - 1]].kind != Kind::mark) --from;
    if (from == 0) return {};
    std::vector<std::uint32_t> items(stack_.begin() + static_cast<std::ptrdiff_t>(from), stack_.end());
    stack_.resize(from - 1);
    return items;
  }

  bool skip(std::uint64_t count) {
    if (count > bytes_.size() - at_) return false;
    at_ += count;
    return true;
  }
  std::optional<std::uint64_t> little(unsigned width) {
    if (width > bytes_.size() - at_) return {};
    std::uint64_t value = 0;
    for (unsigned i = 0; i < width; ++i) value |= static_cast<std::uint64_t>(bytes_[at_ + i]) << (8 * i);
    at_ += width;
    return value;
  }
  bool number(unsigned width) {
    const auto value = little(width);
    if (!value) return false;
    const auto given = width == 4 ? static_cast<std::int64_t>(static_cast<std::int32_t>(static_cast<std::uint32_t>(*value)))
                                  : static_cast<std::int64_t>(*value);
    return push({Kind::number, given});
  }
  bool long_number() {
    const auto width = little(1);
    if (!width) return false;
    if (*width > 8) return skip(*width) && push({});
    const auto value = little(static_cast<unsigned>(*width));
    return value && push({Kind::number, static_cast<std::int64_t>(*value)});
  }
  bool text(unsigned width, Kind kind) {
    const auto count = little(width);
    if (!count || *count > bytes_.size() - at_) return false;
    Value value{kind};
    value.text = as_text(bytes_.subspan(at_, *count));
    at_ += *count;
    return push(std::move(value));
  }
  std::optional<std::string_view> line() {
    const std::uint64_t from = at_;
    while (at_ < bytes_.size() && bytes_[at_] != '\n') ++at_;
    if (at_ == bytes_.size()) return {};
    return as_text(bytes_.subspan(from, at_++ - from));
  }
  bool global() {
    if (!line()) return false;  // the module
    const auto name = line();
    if (!name) return false;
    Value value{Kind::global};
    value.text = *name;
    return push(std::move(value));
  }
  bool stack_global() {
    const auto name = pop();
    if (!name || !pop()) return false;
    Value value{Kind::global};
    value.text = values_[*name].text;
    return push(std::move(value));
  }
  bool put(unsigned width) {
    const auto index = little(width);
    return index && put_at(*index);
  }
  bool put_at(std::uint64_t index) {
    if (stack_.empty() || index > memo_.size() + 65536 || index >= kValuesMax) return false;
    if (index >= memo_.size()) memo_.resize(index + 1, 0);
    memo_[index] = stack_.back();
    return true;
  }
  bool get(unsigned width) {
    const auto index = little(width);
    return index && *index < memo_.size() && again(memo_[*index]);
  }
  bool tuple_of_mark() {
    auto items = pop_to_mark();
    if (!items) return false;
    Value value{Kind::sequence};
    value.items = std::move(*items);
    return push(std::move(value));
  }
  bool tuple(unsigned count) {
    Value value{Kind::sequence};
    for (unsigned i = 0; i < count; ++i) {
      const auto item = pop();
      if (!item) return false;
      value.items.insert(value.items.begin(), *item);
    }
    return push(std::move(value));
  }
  bool append(unsigned count) {
    std::vector<std::uint32_t> items;
    if (count == 1) {
      const auto item = pop();
      if (!item) return false;
      items.push_back(*item);
    } else {
      auto some = pop_to_mark();
      if (!some) return false;
      items = std::move(*some);
    }
    if (stack_.empty()) return false;
    auto& list = values_[stack_.back()].items;
    list.insert(list.end(), items.begin(), items.end());
    return true;
  }
  bool set_items(unsigned count) {
    std::vector<std::uint32_t> items;
    if (count == 2) {
      const auto value = pop();
      const auto key = pop();
      if (!value || !key) return false;
      items = {*key, *value};
    } else {
      auto some = pop_to_mark();
      if (!some) return false;
      items = std::move(*some);
    }
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      const Value& value = values_[items[i + 1]];
      if (value.kind == Kind::tensor && values_[items[i]].kind == Kind::string) {
        std::string& name = tensors_[static_cast<std::size_t>(value.number)].name;
        if (name.empty()) name = std::string(values_[items[i]].text.substr(0, 512));
      }
    }
    return !stack_.empty();
  }
  // ('storage', torch.FloatStorage, key, location, count)
  bool persistent() {
    const auto id = pop();
    if (!id) return false;
    Value storage{Kind::storage};
    const auto& items = values_[*id].items;
    if (items.size() >= 3 && values_[items[1]].kind == Kind::global && values_[items[2]].kind == Kind::string) {
      storage.type = storage_type(values_[items[1]].text);
      storage.text = values_[items[2]].text;
    }
    return push(std::move(storage));
  }
  bool reduce() {
    const auto arguments = pop();
    const auto callee = pop();
    if (!arguments || !callee) return false;
    const std::string_view name = values_[*callee].text;
    const auto& items = values_[*arguments].items;
    if (name == "_rebuild_parameter" && !items.empty()) return again(items[0]);
    if (!name.starts_with("_rebuild_tensor") || items.size() < 4 || values_[items[0]].kind != Kind::storage) return push({});
    const Value& storage = values_[items[0]];
    PickledTensor tensor;
    tensor.storage = std::string(storage.text.substr(0, 64));
    tensor.type = storage.type;
    tensor.offset = static_cast<std::uint64_t>(values_[items[1]].number);
    const auto& shape = values_[items[2]].items;
    const auto& strides = values_[items[3]].items;
    if (shape.size() > kDimensionsMax || strides.size() != shape.size()) return push({});
    std::int64_t expected = 1;
    for (std::size_t i = shape.size(); i-- > 0;) {
      const std::int64_t n = values_[shape[i]].number;
      tensor.is_contiguous = tensor.is_contiguous && (n == 1 || values_[strides[i]].number == expected);
      if (__builtin_mul_overflow(expected, n, &expected) || n < 0) return push({});
    }
    for (const std::uint32_t n : shape) tensor.shape.push_back(values_[n].number);
    if (tensors_.size() >= kTensorsMax) return false;
    tensors_.push_back(std::move(tensor));
    return push({Kind::tensor, static_cast<std::int64_t>(tensors_.size() - 1)});
  }

  ByteView bytes_;
  std::uint64_t at_ = 0;
  std::vector<Value> values_;  // the first is nothing
  std::vector<std::uint32_t> stack_;
  std::vector<std::uint32_t> memo_;
  std::vector<PickledTensor> tensors_;
};

}  // namespace

std::optional<Pickle> read_pickle(ByteView bytes) { return Reader(bytes).read(); }

}  // namespace hone::model
