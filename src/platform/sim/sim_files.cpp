#include <algorithm>
#include <limits>
#include <mutex>
#include <utility>

#include "platform/sim/sim.hpp"
#include "platform/sim/sim_disk.hpp"

namespace hone::platform {

using disk::Node;
using disk::NodePtr;

namespace {
constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();
}  // namespace

struct SimFiles::Disk {
  std::mutex mutex;  // guards all below
  NodePtr root = std::make_shared<Node>(true);
  std::uint64_t operations = 0;
  std::uint64_t cut_at = kUnlimited;  // the operation that fails
  std::uint64_t capacity_bytes = kUnlimited;
  std::uint64_t boots = 0;  // an open file belongs to one
  bool has_power = true;

  [[nodiscard]] Result<> powered(const std::string& path) const {
    if (!has_power) return fail(Code::unavailable, "simulated: no power: " + path);
    return {};
  }

  // To be called first by what changes the disk.
  [[nodiscard]] Result<> begin_operation(const std::string& path) {
    if (has_power && ++operations >= cut_at) has_power = false;
    return powered(path);
  }
};

namespace {

using Path = std::vector<std::string>;

Result<Path> split(const std::string& path) {
  if (path.empty()) return fail(Code::invalid, "a path must not be empty");
  if (path.find('\0') != std::string::npos) return fail(Code::invalid, "a path must not hold a zero byte");
  Path parts;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    std::string part = path.substr(begin, end - begin);
    if (part == "..") return fail(Code::invalid, "the simulated disk knows no \"..\": " + path);
    if (!part.empty() && part != ".") parts.push_back(std::move(part));
    begin = end + 1;
  }
  return parts;
}

// Null when there is none; `invalid` when a file stands where the path needs a folder.
Result<NodePtr> find(NodePtr node, const Path& path, const std::string& name) {
  for (const std::string& part : path) {
    if (!node->is_folder) return fail(Code::invalid, "not a folder on the way to " + name);
    const auto it = node->entries.find(part);
    if (it == node->entries.end()) return NodePtr();
    node = it->second;
  }
  return node;
}

Result<NodePtr> find_folder(const NodePtr& root, const Path& path, const std::string& name) {
  HONE_TRY(NodePtr node, find(root, path, name));
  if (!node) return fail(Code::not_found, "no such folder: " + name);
  if (!node->is_folder) return fail(Code::invalid, "not a folder: " + name);
  return node;
}

struct Place {
  NodePtr folder;
  std::string name;
  NodePtr node;  // null when absent
};

// The folder must exist, the name in it need not.
Result<Place> find_place(const NodePtr& root, const std::string& path) {
  HONE_TRY(Path parts, split(path));
  if (parts.empty()) return fail(Code::invalid, "this is the disk's own folder: " + path);
  std::string name = std::move(parts.back());
  parts.pop_back();
  HONE_TRY(NodePtr folder, find_folder(root, parts, path));
  const auto it = folder->entries.find(name);
  NodePtr node = it == folder->entries.end() ? NodePtr() : it->second;
  return Place{std::move(folder), std::move(name), std::move(node)};
}

bool holds(const Node& tree, const Node* wanted) {
  return &tree == wanted || std::any_of(tree.entries.begin(), tree.entries.end(),
                                        [&](const auto& entry) { return holds(*entry.second, wanted); });
}

// What rename(2) refuses.
Result<> check_rename(const Place& from, const Place& to, const std::string& doing) {
  if (!from.node) return fail(Code::not_found, doing + ": no such file");
  if (from.node->is_folder && holds(*from.node, to.folder.get())) {
    return fail(Code::invalid, doing + ": a folder cannot move into itself");
  }
  if (!to.node) return {};
  if (from.node->is_folder != to.node->is_folder) {
    return fail(Code::invalid, doing + ": one is a folder and the other is a file");
  }
  if (!to.node->entries.empty()) return fail(Code::invalid, doing + ": the folder there is not empty");
  return {};
}

}  // namespace

class SimFile : public File {
 public:
  SimFile(std::shared_ptr<SimFiles::Disk> disk, NodePtr node, std::string path, bool may_write)
      : disk_(std::move(disk)),
        node_(std::move(node)),
        path_(std::move(path)),
        boot_(disk_->boots),
        may_write_(may_write) {}

  [[nodiscard]] Result<std::uint64_t> size() const override {
    const std::lock_guard lock(disk_->mutex);
    HONE_CHECK(usable());
    return node_->bytes.size();
  }

  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
    const std::lock_guard lock(disk_->mutex);
    HONE_CHECK(usable());
    if (offset >= node_->bytes.size()) return std::size_t{0};
    const std::size_t length = std::min<std::size_t>(out.size(), node_->bytes.size() - offset);
    std::copy_n(node_->bytes.begin() + static_cast<std::ptrdiff_t>(offset), length, out.begin());
    return length;
  }

  [[nodiscard]] Result<> write_at(std::uint64_t offset, ByteView bytes) override {
    const std::lock_guard lock(disk_->mutex);
    HONE_CHECK(begin_write());
    if (bytes.empty()) return {};
    if (offset > kFileBytesMax || bytes.size() > kFileBytesMax - offset) {
      return fail(Code::invalid, "offset " + std::to_string(offset) + " is beyond what a file can have: " + path_);
    }
    // As on a real disk: what still fits is written, and then the call fails.
    const std::uint64_t end_max = node_->bytes.size() + bytes_free();
    const std::uint64_t fits = end_max > offset ? std::min<std::uint64_t>(bytes.size(), end_max - offset) : 0;
    if (fits > 0) disk::write(*node_, offset, bytes.first(fits));
    if (fits < bytes.size()) return no_space();
    return {};
  }

  [[nodiscard]] Result<> truncate(std::uint64_t size) override {
    const std::lock_guard lock(disk_->mutex);
    HONE_CHECK(begin_write());
    if (size > kFileBytesMax) return fail(Code::invalid, "the simulated disk refuses so large a file: " + path_);
    if (size > node_->bytes.size() && size - node_->bytes.size() > bytes_free()) return no_space();
    disk::truncate(*node_, size);
    return {};
  }

  [[nodiscard]] Result<> sync() override {
    const std::lock_guard lock(disk_->mutex);
    HONE_CHECK(usable());
    HONE_CHECK(disk_->begin_operation(path_));
    disk::sync_file(*node_);
    return {};
  }

 private:
  static constexpr std::uint64_t kFileBytesMax = std::uint64_t{4} << 30;  // it is memory, after all

  [[nodiscard]] Result<> usable() const {
    HONE_CHECK(disk_->powered(path_));
    if (boot_ != disk_->boots) return fail(Code::unavailable, "simulated: opened before the reboot: " + path_);
    return {};
  }

  [[nodiscard]] Result<> begin_write() {
    HONE_CHECK(usable());
    HONE_CHECK(disk_->begin_operation(path_));
    if (!may_write_) return fail(Code::invalid, "cannot write " + path_ + ": it was opened to be read");
    return {};
  }

  [[nodiscard]] std::uint64_t bytes_free() const {
    if (disk_->capacity_bytes == kUnlimited) return kFileBytesMax;  // spares the walk over all files
    const std::uint64_t used = disk::bytes_used(*disk_->root);
    return disk_->capacity_bytes > used ? std::min(disk_->capacity_bytes - used, kFileBytesMax) : 0;
  }

  [[nodiscard]] tl::unexpected<Error> no_space() const {
    return fail(Code::no_space, "cannot write " + path_ + ": simulated: the disk is full");
  }

  const std::shared_ptr<SimFiles::Disk> disk_;
  const NodePtr node_;
  const std::string path_;
  const std::uint64_t boot_;
  const bool may_write_;
};

SimFiles::SimFiles() : disk_(std::make_shared<Disk>()) {}
SimFiles::~SimFiles() = default;

void SimFiles::cut_power_at(std::uint64_t operation) {
  const std::lock_guard lock(disk_->mutex);
  disk_->cut_at = disk_->operations + std::max<std::uint64_t>(1, operation);
}

std::uint64_t SimFiles::operations() const {
  const std::lock_guard lock(disk_->mutex);
  return disk_->operations;
}

void SimFiles::reboot(SimRandom& random) {
  const std::lock_guard lock(disk_->mutex);
  disk::lose_power(disk_->root, random);
  disk_->has_power = true;
  disk_->cut_at = kUnlimited;
  ++disk_->boots;
}

void SimFiles::set_capacity(std::uint64_t bytes) {
  const std::lock_guard lock(disk_->mutex);
  disk_->capacity_bytes = bytes;
}

Result<std::unique_ptr<File>> SimFiles::open(const std::string& path, OpenMode mode) {
  const std::lock_guard lock(disk_->mutex);
  const bool empties = mode == OpenMode::truncate || mode == OpenMode::truncate_private;
  const bool may_create = mode == OpenMode::create || empties;
  HONE_CHECK(may_create ? disk_->begin_operation(path) : disk_->powered(path));
  HONE_TRY(Place place, find_place(disk_->root, path));
  if (!place.node && !may_create) return fail(Code::not_found, "no such file: " + path);
  if (place.node && place.node->is_folder) return fail(Code::invalid, "cannot open " + path + ": it is a folder");
  if (!place.node) {
    place.node = std::make_shared<Node>(false);
    disk::change_names(disk_->operations, {{place.folder, place.name, place.node}});
  } else if (empties) {
    disk::truncate(*place.node, 0);
  }
  return std::make_unique<SimFile>(disk_, place.node, path, mode != OpenMode::read);
}

Result<> SimFiles::make_folders(const std::string& path) {
  const std::lock_guard lock(disk_->mutex);
  HONE_CHECK(disk_->begin_operation(path));
  HONE_TRY(const Path parts, split(path));
  NodePtr folder = disk_->root;
  for (const std::string& part : parts) {
    auto it = folder->entries.find(part);
    if (it == folder->entries.end()) {
      disk::change_names(disk_->operations, {{folder, part, std::make_shared<Node>(true)}});
      it = folder->entries.find(part);
    }
    folder = it->second;
    if (!folder->is_folder) return fail(Code::invalid, "cannot make the folder " + path + ": a file has that name");
  }
  return {};
}

Result<> SimFiles::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(disk_->mutex);
  HONE_CHECK(disk_->begin_operation(from));
  HONE_TRY(const Place source, find_place(disk_->root, from));
  HONE_TRY(const Place target, find_place(disk_->root, to));
  HONE_CHECK(check_rename(source, target, "cannot rename " + from + " to " + to));
  if (source.node == target.node) return {};
  disk::change_names(disk_->operations,
                     {{source.folder, source.name, nullptr}, {target.folder, target.name, source.node}});
  return {};
}

Result<> SimFiles::remove(const std::string& path) {
  const std::lock_guard lock(disk_->mutex);
  HONE_CHECK(disk_->begin_operation(path));
  const auto place = find_place(disk_->root, path);
  if (!place && place.error().code == Code::not_found) return {};
  if (!place) return fail(place.error());
  if (!place->node) return {};
  if (place->node->is_folder) return fail(Code::invalid, "cannot remove " + path + ": it is a folder");
  disk::change_names(disk_->operations, {{place->folder, place->name, nullptr}});
  return {};
}

Result<bool> SimFiles::exists(const std::string& path) {
  const std::lock_guard lock(disk_->mutex);
  HONE_CHECK(disk_->powered(path));
  HONE_TRY(const Path parts, split(path));
  const auto node = find(disk_->root, parts, path);
  return node && *node;
}

Result<std::vector<std::string>> SimFiles::list(const std::string& folder) {
  const std::lock_guard lock(disk_->mutex);
  HONE_CHECK(disk_->powered(folder));
  HONE_TRY(const Path parts, split(folder));
  HONE_TRY(const NodePtr node, find_folder(disk_->root, parts, folder));
  std::vector<std::string> names;
  names.reserve(node->entries.size());
  for (const auto& [name, child] : node->entries) names.push_back(name);
  return names;
}

Result<> SimFiles::sync_folder(const std::string& folder) {
  const std::lock_guard lock(disk_->mutex);
  HONE_CHECK(disk_->begin_operation(folder));
  HONE_TRY(const Path parts, split(folder));
  HONE_TRY(const NodePtr node, find_folder(disk_->root, parts, folder));
  disk::sync_names(*node);
  return {};
}

}  // namespace hone::platform
