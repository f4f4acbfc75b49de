// What the simulated disk is made of: a tree of nodes, each with what the running system sees and
// what a power cut leaves. Internal to platform/sim; callers hold the disk's lock.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "platform/sim/sim.hpp"

namespace hone::platform::disk {

// A change of a file's bytes that no sync has covered yet.
struct PendingWrite {
  bool is_truncate = false;
  std::uint64_t offset = 0;  // the new size, for a truncate
  Bytes bytes;
};

struct Node;
using NodePtr = std::shared_ptr<Node>;

// A change of names, whole or not at all: a rename takes one name away and sets another, maybe in
// two folders.
struct NameChange {
  std::weak_ptr<Node> folder;
  std::string name;
  NodePtr node;  // null: the name goes away
};
struct PendingNames {
  std::uint64_t order = 0;
  std::vector<NameChange> changes;
  bool is_durable = false;
};

struct Node {
  explicit Node(bool folder) : is_folder(folder) {}
  const bool is_folder;

  // File: the bytes seen; those that are durable; the way from the second to the first.
  Bytes bytes;
  Bytes durable_bytes;
  std::vector<PendingWrite> pending_writes;

  // Folder: the same for names.
  std::map<std::string, NodePtr> entries;
  std::map<std::string, NodePtr> durable_entries;
  std::deque<std::shared_ptr<PendingNames>> pending_names;
};

void write(Node& file, std::uint64_t offset, ByteView bytes);
void truncate(Node& file, std::uint64_t size);
void sync_file(Node& file);

// `changes` all at once; `order` counts up over the disk.
void change_names(std::uint64_t order, std::vector<NameChange> changes);
void sync_names(Node& folder);

// Turns the whole tree into what is found after a power cut. Of what was not synced, each file
// keeps a prefix of its writes (the last of them torn) and each folder a prefix of its changes of
// names, independent of each other, except that a rename between two folders happens in both.
void lose_power(const NodePtr& root, SimRandom& random);

[[nodiscard]] std::uint64_t bytes_used(const Node& root);

}  // namespace hone::platform::disk
