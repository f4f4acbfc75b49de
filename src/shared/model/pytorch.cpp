// PyTorch files: a zip archive whose entries are stored (torch.save since 1.6: NAME/data.pkl,
// NAME/data/KEY for each storage), and before that a run of pickles followed by the storages. NumPy's
// .npz is a zip archive too (of .npy files). Zip: PKWARE's APPNOTE.TXT, sections 4.3.7, 4.3.12, 4.3.16.
#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "shared/model/containers.hpp"
#include "shared/model/float_regions.hpp"
#include "shared/model/pickle.hpp"

namespace hone::model {
namespace {

constexpr std::uint64_t kPickleBytesMax = 64u << 20;

std::optional<std::uint64_t> little(ByteView file, std::uint64_t at, unsigned width) {
  if (at > file.size() || width > file.size() - at) return {};
  std::uint64_t value = 0;
  for (unsigned i = 0; i < width; ++i) value |= static_cast<std::uint64_t>(file[at + i]) << (8 * i);
  return value;
}

struct Entry {
  std::string name;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

// The entries that are stored as they are.
std::vector<Entry> stored_entries(ByteView file) {
  std::vector<Entry> entries;
  if (file.size() < 22 || little(file, 0, 4) != 0x04034b50u) return entries;
  // The end record stands before a comment of at most 64 KiB.
  std::uint64_t end = file.size() - 22;
  const std::uint64_t last = end > 65535 ? end - 65535 : 0;
  while (end > last && little(file, end, 4) != 0x06054b50u) --end;
  if (little(file, end, 4) != 0x06054b50u) return entries;
  std::uint64_t at = little(file, end + 16, 4).value_or(0);
  if (at == 0xFFFFFFFFu && end >= 20 && little(file, end - 20, 4) == 0x07064b50u)
    at = little(file, little(file, end - 12, 8).value_or(0) + 48, 8).value_or(0);
  while (entries.size() < kTensorsMax && at < file.size() && little(file, at, 4) == 0x02014b50u) {
    const auto method = little(file, at + 10, 2);
    const auto bytes = little(file, at + 24, 4);
    const auto name_bytes = little(file, at + 28, 2);
    const auto extra_bytes = little(file, at + 30, 2);
    const auto comment_bytes = little(file, at + 32, 2);
    const auto local = little(file, at + 42, 4);
    if (!method || !bytes || !name_bytes || !extra_bytes || !comment_bytes || !local) break;
    const auto local_name = little(file, *local + 26, 2);
    const auto local_extra = little(file, *local + 28, 2);
    if (*method == 0 && local_name && local_extra && little(file, *local, 4) == 0x04034b50u && *name_bytes <= file.size() - at - 46 &&
        at + 46 <= file.size()) {
      const std::uint64_t data = *local + 30 + *local_name + *local_extra;
      if (data <= file.size() && *bytes <= file.size() - data)
        entries.push_back({to_string(file.subspan(at + 46, *name_bytes)), data, *bytes});
    }
    at += 46 + *name_bytes + *extra_bytes + *comment_bytes;
  }
  return entries;
}

// Adds what the pickle says stands in a storage at `offset`; falls back to the storage as a whole.
class Storages {
 public:
  Storages(ByteView file, std::vector<TensorExtent>& tensors, const std::vector<PickledTensor>& pickled)
      : file_(file), tensors_(tensors), pickled_(pickled) {
    for (std::size_t i = 0; i < pickled.size(); ++i) by_key_.emplace(pickled[i].storage, i);
  }
  [[nodiscard]] ElementType type_of(const std::string& key) const {
    const auto found = by_key_.find(key);
    return found == by_key_.end() ? ElementType::other : pickled_[found->second].type;
  }
  void add(const std::string& key, std::uint64_t offset, std::uint64_t bytes) {
    const auto [first, last] = by_key_.equal_range(key);
    bool whole = first == last;
    for (auto it = first; it != last; ++it) {
      const PickledTensor& tensor = pickled_[it->second];
      const std::uint64_t width = bits_of(tensor.type) / 8;
      std::uint64_t elements = 1;
      for (const auto n : tensor.shape) elements *= static_cast<std::uint64_t>(n);  // no overflow: the pickle reader saw to it
      if (!tensor.is_contiguous || width == 0 || elements > bytes / width || tensor.offset > bytes / width - elements) {
        whole = std::next(first) == last;
        continue;
      }
      if (tensors_.size() < kTensorsMax)
        tensors_.push_back({tensor.name, tensor.type, tensor.shape, offset + tensor.offset * width, elements * width});
    }
    if (!whole || bytes == 0 || tensors_.size() >= kTensorsMax) return;
    const bool known = first != last && pickled_[first->second].type != ElementType::other;
    const ElementType type = known ? pickled_[first->second].type : looks_like_floats(offset, bytes) ? ElementType::f32 : ElementType::other;
    tensors_.push_back({first != last ? pickled_[first->second].name : std::string(), type, {}, offset, bytes});
  }

 private:
  [[nodiscard]] bool looks_like_floats(std::uint64_t offset, std::uint64_t bytes) const {
    std::uint64_t floats = 0;
    for (const auto& region : find_float_regions(file_.subspan(offset, bytes)))
      if (region.offset % 4 == 0) floats += region.bytes;
    return bytes % 4 == 0 && floats * 2 > bytes;
  }

  ByteView file_;
  std::vector<TensorExtent>& tensors_;
  const std::vector<PickledTensor>& pickled_;
  std::multimap<std::string, std::size_t> by_key_;
};

}  // namespace

bool find_zip(ByteView file, std::vector<TensorExtent>& tensors, Container& container) {
  const auto entries = stored_entries(file);
  if (entries.empty()) return false;
  std::vector<PickledTensor> pickled;
  bool is_pytorch = false;
  bool is_numpy = false;
  for (const Entry& entry : entries) {
    if (entry.name.ends_with("/data.pkl") && entry.bytes <= kPickleBytesMax) {
      is_pytorch = true;
      if (auto pickle = read_pickle(file.subspan(entry.offset, entry.bytes))) pickled = std::move(pickle->tensors);
    }
  }
  Storages storages(file, tensors, pickled);
  for (const Entry& entry : entries) {
    if (entry.name.ends_with(".npy")) {
      const std::size_t first = tensors.size();
      if (!find_npy(file.subspan(entry.offset, entry.bytes), tensors)) continue;
      is_numpy = true;
      for (std::size_t i = first; i < tensors.size(); ++i) {
        tensors[i].offset += entry.offset;
        tensors[i].name = entry.name.substr(0, entry.name.size() - 4);
      }
    } else if (const auto key = entry.name.rfind("/data/"); is_pytorch && key != std::string::npos) {
      storages.add(entry.name.substr(key + 6), entry.offset, entry.bytes);
    }
  }
  container = is_pytorch ? Container::pytorch : is_numpy ? Container::numpy : Container::zip;
  return is_pytorch || is_numpy;
}

// A magic number, a protocol version, what the system was, the object, the storages' keys, each a
// pickle; then for each key the count of elements (8 bytes) and the elements.
bool find_pytorch_legacy(ByteView file, std::vector<TensorExtent>& tensors) {
  constexpr std::string_view kMagic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
  if (file.size() < kMagic.size() || as_text(file.first(kMagic.size())) != kMagic) return false;
  std::uint64_t at = kMagic.size();
  std::vector<Pickle> pickles;
  for (int i = 0; i < 4; ++i) {
    auto pickle = read_pickle(file.subspan(at, std::min<std::uint64_t>(file.size() - at, kPickleBytesMax)));
    if (!pickle) return true;
    at += pickle->bytes;
    pickles.push_back(std::move(*pickle));
  }
  Storages storages(file, tensors, pickles[2].tensors);
  for (const std::string& key : pickles[3].strings) {
    const auto elements = little(file, at, 8);
    const std::uint64_t width = bits_of(storages.type_of(key)) / 8;
    if (!elements || width == 0 || *elements > (file.size() - at - 8) / width) return true;
    storages.add(key, at + 8, *elements * width);
    at += 8 + *elements * width;
  }
  return true;
}

}  // namespace hone::model
