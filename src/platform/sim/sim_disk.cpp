#include "platform/sim/sim_disk.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace hone::platform::disk {
namespace {

void apply(Bytes& bytes, const PendingWrite& change, std::size_t length) {
  if (change.is_truncate) return bytes.resize(change.offset);
  if (length == 0) return;
  bytes.resize(std::max<std::size_t>(bytes.size(), change.offset + length));
  std::copy_n(change.bytes.begin(), length, bytes.begin() + static_cast<std::ptrdiff_t>(change.offset));
}

void record(Node& file, PendingWrite change) {
  apply(file.bytes, change, change.bytes.size());
  file.pending_writes.push_back(std::move(change));
}

void apply(std::map<std::string, NodePtr>& entries, const NameChange& change) {
  if (change.node) {
    entries[change.name] = change.node;
  } else {
    entries.erase(change.name);
  }
}

// In order: a change is durable only after those before it in every folder that it touches.
void make_durable(PendingNames& names) {
  if (names.is_durable) return;
  names.is_durable = true;
  for (const NameChange& change : names.changes) {
    const NodePtr folder = change.folder.lock();
    if (!folder) continue;
    for (const auto& earlier : folder->pending_names) {
      if (earlier->order >= names.order) break;
      make_durable(*earlier);
    }
  }
  for (const NameChange& change : names.changes) {
    if (const NodePtr folder = change.folder.lock()) apply(folder->durable_entries, change);
  }
}

// How many of `count` changes the disk happened to keep; none and all are likelier than chance,
// because they are what most bugs hide behind.
std::size_t kept(SimRandom& random, std::size_t count) {
  const std::uint64_t draw = random.next();
  if (draw % 4 == 0) return 0;
  if (draw % 4 == 1) return count;
  return random.next() % (count + 1);
}

void find_all(const NodePtr& node, std::set<const Node*>& seen, std::vector<NodePtr>& found) {
  if (!seen.insert(node.get()).second) return;
  found.push_back(node);
  for (const auto& [name, child] : node->durable_entries) find_all(child, seen, found);
  for (const auto& names : node->pending_names) {
    for (const NameChange& change : names->changes) {
      if (change.node) find_all(change.node, seen, found);
    }
  }
}

}  // namespace

void write(Node& file, std::uint64_t offset, ByteView bytes) {
  record(file, {.is_truncate = false, .offset = offset, .bytes = Bytes(bytes.begin(), bytes.end())});
}

void truncate(Node& file, std::uint64_t size) {
  record(file, {.is_truncate = true, .offset = size, .bytes = {}});
}

void sync_file(Node& file) {
  for (const PendingWrite& change : file.pending_writes) apply(file.durable_bytes, change, change.bytes.size());
  file.pending_writes.clear();
}

void change_names(std::uint64_t order, std::vector<NameChange> changes) {
  auto names = std::make_shared<PendingNames>();
  names->order = order;
  names->changes = std::move(changes);
  for (const NameChange& change : names->changes) {
    const NodePtr folder = change.folder.lock();
    apply(folder->entries, change);
    auto& pending = folder->pending_names;
    if (pending.empty() || pending.back() != names) pending.push_back(names);
  }
}

void sync_names(Node& folder) {
  for (const auto& names : folder.pending_names) make_durable(*names);
  folder.pending_names.clear();
}

void lose_power(const NodePtr& root, SimRandom& random) {
  std::set<const Node*> seen;
  std::vector<NodePtr> found;
  find_all(root, seen, found);

  for (const NodePtr& node : found) {
    const std::size_t names = kept(random, node->pending_names.size());
    for (std::size_t i = 0; i < names; ++i) make_durable(*node->pending_names[i]);

    const std::size_t writes = kept(random, node->pending_writes.size());
    for (std::size_t i = 0; i < writes; ++i) {
      const PendingWrite& change = node->pending_writes[i];
      const bool is_last = i + 1 == writes;
      apply(node->durable_bytes, change, is_last ? kept(random, change.bytes.size()) : change.bytes.size());
    }
  }
  for (const NodePtr& node : found) {
    node->pending_names.clear();
    node->pending_writes.clear();
    node->entries = node->durable_entries;
    node->bytes = node->durable_bytes;
  }
}

std::uint64_t bytes_used(const Node& root) {
  std::uint64_t total = root.bytes.size();
  for (const auto& [name, child] : root.entries) total += bytes_used(*child);
  return total;
}

}  // namespace hone::platform::disk
