// Independent pieces of one encoding on several threads. What comes out does not depend on how many
// there are: each piece has its own result.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace hone::delta {

// Calls work(0) .. work(count - 1), each once, on at most `threads` threads; the calling one is the
// first of them and takes the first piece. Returns when all are done.
template <class Work>
void side_by_side(std::size_t count, unsigned threads, Work&& work) {
  std::atomic<std::size_t> next{1};
  const auto take = [&](std::size_t piece) {
    for (; piece < count; piece = next.fetch_add(1)) work(piece);
  };
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < std::min<std::size_t>(threads, count); ++i) others.emplace_back([&] { take(next.fetch_add(1)); });
  take(0);
}

// Progress of pieces that run side by side, told from the calling thread only, never falling.
class Progress {
 public:
  Progress(const std::function<void(double)>& listener, std::size_t pieces)
      : listener_(listener), caller_(std::this_thread::get_id()), done_(pieces) {}

  // A piece is done up to `fraction`.
  void note(std::size_t piece, double fraction) {
    done_[piece].store(fraction, std::memory_order_relaxed);
    if (!listener_ || std::this_thread::get_id() != caller_) return;
    double sum = 0;
    for (const auto& done : done_) sum += done.load(std::memory_order_relaxed);
    told_ = std::max(told_, sum / static_cast<double>(done_.size()));
    listener_(told_);
  }

 private:
  const std::function<void(double)>& listener_;
  const std::thread::id caller_;
  std::vector<std::atomic<double>> done_;
  double told_ = 0;
};

}  // namespace hone::delta
