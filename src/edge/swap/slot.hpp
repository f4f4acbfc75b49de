// Where the live model stands: readers take a handle and never wait, publishing never waits, and at
// most two models are in memory.
//
// Two cells, each with a count of readers, and the index of the current cell. A reader
//   R1 loads the index c    R2 adds one to cell c's count    R3 loads the index again
// and uses the cell only when R3 gives c again; else it takes its one back and starts over, which
// happens only when a publish came in between. The publisher
//   P1 writes the model into the other, empty cell    P2 stores the index
// and later, collecting the retired cell r (never the current one),
//   C1 loads r's count, and if it is zero    C2 frees the model.
//
// Why C2 never frees under a reader. All these operations are sequentially consistent, so they have
// one order. Take a reader whose R2 is on cell r. If R2 comes before C1, the count was not zero at C1
// unless the reader had let go already. If R2 comes after C1, then R3 comes after the P2 that retired
// r, so R3 sees another index, and the reader does not touch the model - unless a later P2 made r
// current again; then P1 of that publish came before it and R3, having read its value, sees the new
// model whole. In no order does a reader hold what C2 freed. (A stray count of a reader between R2
// and its taking back can only delay C1.)
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/result.hpp"
#include "edge/swap/live_model.hpp"

namespace hone::edge {

template <class Model>
class Slot {
 public:
  // Names the model for as long as it lives. Small; keep it for one inference, not longer.
  class Handle {
   public:
    Handle() = default;
    Handle(Handle&& other) noexcept
        : readers_(std::exchange(other.readers_, nullptr)), model_(std::exchange(other.model_, nullptr)) {}
    Handle& operator=(Handle&& other) noexcept {
      std::swap(readers_, other.readers_);
      std::swap(model_, other.model_);
      return *this;
    }
    ~Handle() {
      if (readers_) readers_->fetch_sub(1);
    }
    [[nodiscard]] explicit operator bool() const { return model_ != nullptr; }
    [[nodiscard]] const Model& operator*() const { return *model_; }
    [[nodiscard]] const Model* operator->() const { return model_; }

   private:
    friend class Slot;
    Handle(std::atomic<std::uint64_t>* readers, const Model* model) : readers_(readers), model_(model) {}
    std::atomic<std::uint64_t>* readers_ = nullptr;
    const Model* model_ = nullptr;
  };

  // Any thread. Empty when there is no model.
  [[nodiscard]] Handle acquire() const {
    for (;;) {
      const int c = current_.load();
      if (c == kNone) return {};
      Cell& cell = cells_[static_cast<std::size_t>(c)];
      cell.readers.fetch_add(1);
      if (current_.load() == c) return Handle(&cell.readers, cell.model.get());
      cell.readers.fetch_sub(1);
    }
  }

  // The rest: one thread.

  // Whether publish() would take a model now; ask before one is loaded, so that memory never holds
  // three. Collects first.
  [[nodiscard]] bool has_room() {
    collect();
    return !cells_[free_cell()].model;
  }

  // Makes `next` visible to new readers; existing handles keep the old model. Never waits. Refuses
  // with `unavailable` while an earlier model is still retiring.
  [[nodiscard]] Result<> publish(std::unique_ptr<Model> next) {
    if (!has_room()) return fail(Code::unavailable, "an earlier model is still being read");
    const std::size_t to = free_cell();
    cells_[to].model = std::move(next);
    current_.store(static_cast<int>(to));
    return {};
  }

  // No model for new readers.
  void withdraw() { current_.store(kNone); }

  // Frees retired models that nobody reads any more; off the inference threads, so that they never
  // pay for it. True when one was freed.
  bool collect() {
    bool freed = false;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      if (static_cast<int>(i) == current_.load() || !cells_[i].model || cells_[i].readers.load() != 0) continue;
      cells_[i].model.reset();
      freed = true;
    }
    return freed;
  }

  [[nodiscard]] int models_in_memory() const { return (cells_[0].model ? 1 : 0) + (cells_[1].model ? 1 : 0); }

 private:
  static constexpr int kNone = -1;
  struct alignas(64) Cell {
    std::atomic<std::uint64_t> readers{0};
    std::unique_ptr<Model> model;  // written by the one thread, only while the cell is not current
  };

  // The cell that publish() would write: not the current one, an empty one if there is a choice.
  [[nodiscard]] std::size_t free_cell() const {
    const int c = current_.load();
    if (c != kNone) return static_cast<std::size_t>(1 - c);
    return cells_[0].model ? 1 : 0;
  }

  mutable std::array<Cell, 2> cells_;
  std::atomic<int> current_{kNone};
};

}  // namespace hone::edge
