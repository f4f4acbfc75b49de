// Applies a patch on a device: a push decoder without heap, exceptions or a C library.
//
//   alignas(8) static uint8_t workspace[...];            // Decoder::workspace_bytes(profile)
//   Decoder decoder;
//   status = decoder.init(callbacks, workspace, sizeof workspace, target_bytes_max);
//   while (status == Status::ok && more) status = decoder.feed(bytes, count);   // pieces of any size
//   if (status == Status::ok) status = decoder.finish();                         // Status::done
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

class Decoder {
 public:
  [[nodiscard]] static size_t workspace_bytes(Profile profile);

  // The profile is in the patch's header: byte 5. A workspace for the standard profile does for both.
  Status init(const Callbacks& callbacks, void* workspace, size_t workspace_size, uint64_t target_bytes_max);
  Status feed(const uint8_t* bytes, size_t count);
  Status finish();

  [[nodiscard]] Status status() const { return status_; }
  [[nodiscard]] const Header& header() const { return header_; }
  [[nodiscard]] uint64_t written() const { return flushed_ + out_used_; }

 private:
  enum class Stage : uint8_t { header, prime, head, generic, copy, residual, intra, stored, end };

  Status run(const uint8_t* bytes, const uint8_t* limit);
  template <Profile kProfile>
  void step(const uint8_t* limit);
  template <Profile kProfile>
  void step_head();
  template <Profile kProfile>
  void step_generic(const uint8_t* limit);
  template <Profile kProfile>
  void step_values(const uint8_t* limit);
  template <Profile kProfile, Type kType>
  void run_values(const uint8_t* limit);
  void step_copy();
  void step_stored(const uint8_t* limit);
  void begin();
  Status check_base();
  void end_operation();
  bool copy_match(uint64_t distance, uint64_t length);
  int expected_byte();
  const uint8_t* base_window(uint64_t offset, size_t want, size_t& have);
  bool flush();
  // Whoever writes to out_ asks this first: the writer before may have left it full.
  bool has_room() { return out_used_ < out_size_ || flush(); }
  void put(uint8_t byte) {
    if (has_room()) out_[out_used_++] = byte;
  }
  void fail(Status status) {
    if (status_ == Status::ok) status_ = status;
  }

  Callbacks callbacks_{};
  Header header_{};
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
  size_t out_used_ = 0;
  uint64_t flushed_ = 0;

  RangeDecoder coder_{};
  Operation operation_{};
  uint64_t left_ = 0;  // bytes of the operation
  OperationMemory heads_{};
  ValueMemory values_{};
  Type values_type_ = Type::count;
  GenericMemory generic_{};

  uint8_t carry_[2 * kStepBytesMax] = {};  // input that was too short for a step
  size_t carried_ = 0;
  uint64_t read_ = 0;  // bytes of the patch before those being read
  const uint8_t* read_from_ = nullptr;
};

}  // namespace hone::delta
