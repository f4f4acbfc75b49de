// Applies a patch on a device: a push decoder without heap, exceptions or a C library.
//
//   alignas(8) static uint8_t workspace[...];            // Decoder::workspace_bytes(profile)
//   Decoder decoder;
//   status = decoder.init(callbacks, workspace, sizeof workspace, target_bytes_max);
//   while (status == Status::ok && more) status = decoder.feed(bytes, count);   // pieces of any size
//   if (status == Status::ok) status = decoder.finish();                         // Status::done
//
// Pause and resume, for a device that loses power:
//
//   decoder.pause_at(checkpoint);                    // then feed and finish may say Status::paused:
//   ... make durable what was written ...            // exactly `checkpoint` bytes of the target
//   decoder.save(file, write_to_file);
//   decoder.pause_at(checkpoint += step);            // goes on: feed from patch byte consumed()
//   ... power is lost ...
//   decoder.restore(callbacks, workspace, sizeof workspace, target_bytes_max, file, read_from_file);
//   ... feed from patch byte decoder.consumed() ...
//
// The base's hash is checked before the first write, the target's before `done`. After a status
// other than ok the decoder stays in that status. Input is hostile until `done`: no callback is
// asked for a byte outside the base, or outside what was written. Bounded time: work is bounded by
// the bytes of patch and target.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "shared/delta/decode/range_decoder.hpp"
#include "shared/delta/format/format.hpp"
#include "shared/delta/format/generic.hpp"
#include "shared/delta/format/models.hpp"
#include "shared/delta/format/operations.hpp"
#include "shared/delta/format/reach.hpp"

namespace hone::delta {

// All return false when they cannot; `context` is handed back as it is.
struct Callbacks {
  void* context;
  bool (*read_base)(void* context, uint64_t offset, uint8_t* bytes, size_t count);
  bool (*write_target)(void* context, const uint8_t* bytes, size_t count);                     // in order
  bool (*read_target)(void* context, uint64_t offset, uint8_t* bytes, size_t count);           // written before
  uint64_t (*base_bytes)(void* context);
  // SHA-256: begin, add, end. One stream at a time.
  void (*hash_begin)(void* context);
  void (*hash_add)(void* context, const uint8_t* bytes, size_t count);
  void (*hash_end)(void* context, uint8_t* digest);  // 32 bytes
  // May be null: hears of each operation as it begins, and how much of the patch was read by then.
  void (*on_operation)(void* context, const Operation& operation, uint64_t target_offset, uint64_t patch_offset);
};

inline constexpr uint64_t kNoPause = ~uint64_t{0};

class Decoder {
 public:
  // At most 16 KiB for the small profile with the decoder itself, 1 MiB for the standard one.
  [[nodiscard]] static constexpr size_t workspace_bytes(Profile profile) {
    const Dimensions d = dimensions(profile);
    return kAlign + counters_of(profile) * sizeof(Counter) + d.base_buffer_bytes + d.out_buffer_bytes + kOutSlackBytes;
  }
  // What save() writes.
  [[nodiscard]] static size_t state_bytes(Profile profile);

  // The profile is in the patch's header: byte 5. A workspace for the standard profile does for both.
  Status init(const Callbacks& callbacks, void* workspace, size_t workspace_size, uint64_t target_bytes_max);
  Status feed(const uint8_t* bytes, size_t count);
  Status finish();

  // Stops once exactly `target_offset` bytes were handed to write_target, be it within a match or an
  // element: feed or finish says `paused`, and may have left input untouched. Also ends a pause, with
  // kNoPause to go on to the end. `misuse`, and nothing changes, when `target_offset` is behind.
  Status pause_at(uint64_t target_offset);
  // Where in the patch to go on feeding: bytes before it need never be fed again.
  [[nodiscard]] uint64_t consumed() const { return accepted_; }

  // Hands over what is written but still held back (unless paused), then state_bytes() to `write`, in
  // several pieces. From then on the state speaks of a target of written_out() bytes: make these
  // durable before it. To be called between feeds, once the header has been read (else misuse).
  // io_target: a callback failed. A state holds no addresses; it is good for the same build of hone on
  // any machine of the same kind, and is no file format.
  Status save(void* to, bool (*write)(void* to, const uint8_t* bytes, size_t count));
  // Instead of init. What was written is read again through read_target and hashed, so that the target's
  // hash covers the whole file as it stands now; the base is not hashed again (in place it is gone).
  // bad_state: damaged or not one of ours. Whatever the bytes, no bound is broken then or later.
  Status restore(const Callbacks& callbacks, void* workspace, size_t workspace_size, uint64_t target_bytes_max,
                 void* from, bool (*read)(void* from, uint8_t* bytes, size_t count));

  [[nodiscard]] Status status() const { return status_; }
  [[nodiscard]] const Header& header() const { return header_; }
  [[nodiscard]] uint64_t written() const { return flushed_ + out_used_; }
  [[nodiscard]] uint64_t written_out() const { return flushed_; }      // of these, handed to write_target

 private:
  static constexpr size_t kAlign = 8;
  enum class Stage : uint8_t { header, prime, head, generic, copy, residual, intra, stored, lattice, low_rank, end };
  static constexpr Stage stage_of(Op op) {
    return static_cast<Stage>(static_cast<uint8_t>(Stage::generic) + static_cast<uint8_t>(op));
  }

  Status run(const uint8_t* bytes, const uint8_t* limit);
  template <Profile kProfile>
  void step(const uint8_t* limit);
  template <Profile kProfile>
  void step_head();
  template <Profile kProfile>
  void step_generic(const uint8_t* limit);
  template <Profile kProfile>
  void step_values(const uint8_t* limit);
  template <Profile kProfile>
  void step_values_of_type(const uint8_t* limit);
  template <Profile kProfile, class E>
  void run_values(const E& e, const uint8_t* limit);
  template <Profile kProfile>
  void step_lattice(const uint8_t* limit);
  template <Profile kProfile>
  void step_low_rank(const uint8_t* limit);
  template <Profile kProfile>
  bool read_factors(const uint8_t* limit, uint32_t until);
  void step_copy();
  void step_stored(const uint8_t* limit);
  void begin();
  Status take_memory();
  Status check_base();
  Status hash_written();
  template <class Archive>
  void list_state(Archive& archive);  // every field that a saved state holds, with its bounds
  bool operation_is_sound(uint64_t target_left) const;
  bool counters_are_sound() const;
  size_t run_carried(size_t limit);
  void end_operation();
  bool begin_match(uint64_t distance, uint64_t length);
  bool copy_match();
  int expected_byte();
  const uint8_t* base_window(uint64_t offset, size_t want, size_t& have);
  size_t elements_at_hand(uint32_t width_log2, const uint8_t*& from);
  bool flush();
  // Whoever writes to out_ asks this before he takes input for it: the writer before may have left it
  // full, and a pause may be due.
  bool has_room() { return out_used_ < out_limit_ || flush(); }
  void set_out_limit() {
    const uint64_t to_pause = pause_at_ - flushed_;
    out_limit_ = to_pause < out_size_ ? static_cast<size_t>(to_pause) : out_size_;
  }
  void fail(Status status) {
    if (status_ == Status::ok) status_ = status;
  }

  Callbacks callbacks_{};
  Header header_{};
  Reach reach_{};
  Status status_ = Status::misuse;
  Stage stage_ = Stage::header;
  uint8_t* memory_ = nullptr;
  size_t memory_size_ = 0;
  uint64_t target_bytes_max_ = 0;

  Counter* counters_ = nullptr;
  uint8_t* base_ = nullptr;  // a window on the base
  size_t base_size_ = 0;
  size_t base_used_ = 0;
  uint64_t base_at_ = 0;
  uint8_t* out_ = nullptr;  // target bytes not yet handed over
  size_t out_size_ = 0;
  size_t out_limit_ = 0;  // where it is handed over: its size, or less when a pause is near
  size_t out_used_ = 0;   // may exceed the limit by the rest of an element
  uint64_t flushed_ = 0;
  uint64_t pause_at_ = kNoPause;

  RangeDecoder coder_{};
  Operation operation_{};
  uint64_t left_ = 0;        // bytes of the operation that were not begun
  uint64_t match_left_ = 0;  // bytes of the match that was
  uint64_t match_at_ = 0;    // and where it goes on, in base followed by target
  OperationMemory heads_{};
  ValueMemory values_{};
  Type values_type_ = Type::count;
  uint32_t factors_known_ = 0;  // of a low-rank operation: V's, then those of U's row
  GenericMemory generic_{};

  uint8_t carry_[2 * kStepBytesMax] = {};  // input that was too short for a step
  size_t carried_ = 0;
  uint64_t accepted_ = 0;  // bytes of the patch that feed took
  uint64_t read_ = 0;      // bytes of the coded stream before those being read
  const uint8_t* read_from_ = nullptr;
};

static_assert(Decoder::workspace_bytes(Profile::small) + sizeof(Decoder) <= 16 * 1024);
static_assert(kSmallOnly || Decoder::workspace_bytes(Profile::standard) + sizeof(Decoder) <= 1024 * 1024);

}  // namespace hone::delta
