// Samples on disk until they are uploaded, within a byte bound.
//
// observe -> append() puts a sample into a short queue in memory; step -> flush() writes the queue,
// syncs it and seals full or old segments. One segment is one batch: append-only, then sealed, then
// uploaded, then removed. append() never waits for the disk unless the queue is full.
//
// Durable means: survives a power cut. A sample is durable when flush() or sync() has returned after
// its append(); `rows_durable` counts them. What is only queued is lost when the process dies. The
// byte bound is not a power cut: when it is reached, the oldest segment that was not uploaded is
// dropped (a device's newest data is worth most) and counted, unless `refuse_when_full`.
//
// append(), sync() and status() are safe from any thread; the others belong to the stepping thread.
// docs/formats/spool.md.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "base/random.hpp"
#include "edge/spool/segment.hpp"

namespace hone::edge {

struct SpoolOptions {
  std::uint64_t bytes_max = 64u << 20;         // of all segment files
  bool refuse_when_full = false;               // no_space for new samples instead of dropping the oldest
  std::size_t segment_rows_max = 1024;         // a segment is sealed at
  std::uint64_t segment_bytes_max = 1u << 20;  // ... whichever comes first
  std::size_t queue_bytes_max = 256u << 10;    // in memory, between two flushes
};

struct SpoolStatus {
  std::uint64_t rows = 0;          // waiting, the queue included
  std::uint64_t rows_durable = 0;  // of them, those that survive a power cut
  std::uint64_t rows_dropped = 0;  // since open: pushed out by the byte bound, or in a torn tail
  std::uint64_t bytes = 0;         // on disk
};

struct SealedSegment {
  std::uint64_t seq = 0;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
};

class Spool {
 public:
  // Finds what an earlier run left; all of it counts as sealed. `files` and `random` must outlive
  // the spool; `random` is used by the thread that appends or flushes, one at a time.
  [[nodiscard]] static Result<std::unique_ptr<Spool>> open(Files& files, std::string folder, SpoolOptions options,
                                                           Random& random);

  // The sample must have passed check(). Errors: no_space (refuse_when_full, or the disk is full and
  // nothing is left to drop), unavailable (the disk fails and the queue is full).
  [[nodiscard]] Result<> append(const Sample& sample);

  // Writes and syncs all that was appended.
  [[nodiscard]] Result<> sync();

  // sync(), and seals the open segment when its oldest sample is `flush_after` old and no other
  // segment waits: while uploads lag, small segments would only multiply. Samples that are appended
  // from now on belong to `signal`; a change seals too.
  [[nodiscard]] Result<> flush(Time now, Duration flush_after, const SignalPrint& signal);

  // The oldest sealed segment, if any.
  [[nodiscard]] std::optional<SealedSegment> oldest() const;
  // not_found when it was dropped meanwhile; damaged when the disk rotted.
  [[nodiscard]] Result<Segment> read(const SealedSegment& segment) const;
  // After it was acknowledged. A crash may bring it back; its batch id makes the resend harmless.
  [[nodiscard]] Result<> remove(const SealedSegment& segment);

  [[nodiscard]] SpoolStatus status() const;

 private:
  struct Queued {
    Bytes record;
    Time at;
  };
  struct Open {
    std::uint64_t seq = 0;
    std::unique_ptr<File> file;
    std::uint64_t bytes = 0;
    std::uint64_t rows = 0, rows_synced = 0;
    bool name_synced = false;
    Time oldest{};
  };

  Spool(Files& files, std::string folder, SpoolOptions options, Random& random);
  [[nodiscard]] Result<> find_segments();
  [[nodiscard]] Result<> drain();  // the rest: with file_mutex_ held
  [[nodiscard]] Result<> write(const Queued& queued);
  [[nodiscard]] Result<> write_record(const Queued& queued);
  [[nodiscard]] Result<> start_segment();
  [[nodiscard]] Result<> sync_open();
  [[nodiscard]] Result<> seal();
  [[nodiscard]] Result<> make_room(std::uint64_t bytes);
  [[nodiscard]] bool drop_oldest();
  [[nodiscard]] std::string path_of(std::uint64_t seq) const;
  [[nodiscard]] std::uint64_t bytes_on_disk() const;
  void show();

  Files& files_;
  Random& random_;
  const std::string folder_;
  const SpoolOptions options_;

  mutable std::mutex file_mutex_;  // taken before queue_mutex_
  // guarded by file_mutex_
  std::deque<SealedSegment> sealed_;
  std::optional<Open> open_;
  std::uint64_t next_seq_ = 1;
  SignalPrint signal_{};
  std::uint64_t rows_dropped_ = 0;

  mutable std::mutex queue_mutex_;
  // guarded by queue_mutex_
  std::deque<Queued> queue_;
  std::size_t queue_bytes_ = 0;
  SpoolStatus disk_;  // what the files held at the last change, so that status() never waits for the disk
};

}  // namespace hone::edge
