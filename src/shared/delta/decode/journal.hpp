// A redo journal of two slots that take turns: whenever power goes, at least the older of the last two
// records is whole. A record is the next block of the target (not when the target is a new file) and
// the decoder's state after it; docs/formats/delta.md, "Journal". Freestanding.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "shared/delta/decode/storage.hpp"
#include "shared/delta/format/checksum.hpp"
#include "shared/delta/format/format.hpp"

namespace hone::delta {

enum class RecordKind : uint8_t {
  none,
  move,   // place: how many blocks of the base were not moved up yet
  block,  // place: where in the target its contents stand; then a decoder's state
  last,   // the same for the target's end, without a state
};

struct Record {
  RecordKind kind = RecordKind::none;
  uint64_t sequence = 0;
  uint64_t place = 0;
  uint64_t content_bytes = 0;
  uint64_t state_bytes = 0;
};

class Journal {
 public:
  // `storage` must outlive it. `patch_id` has 8 bytes; `payload_bytes_max` bounds contents and state.
  // `scratch` is used by load() only.
  Journal(const Storage& storage, const uint8_t* patch_id, uint64_t payload_bytes_max);

  // The newest whole record of this patch (`none` if there is none), which read() then reads.
  // foreign_journal: there is none, but a whole one of another patch.
  Status load(Record& newest, uint8_t* scratch, size_t scratch_bytes);

  // A new record: begin, append contents, append the state, commit. Only commit makes it count.
  void begin();
  bool append(const uint8_t* bytes, size_t count);
  bool commit(RecordKind kind, uint64_t place, uint64_t content_bytes, uint64_t state_bytes);

  // The payload of the record that was loaded or that is being made.
  bool read(uint64_t offset, uint8_t* bytes, size_t count) const;

 private:
  Record read_slot(uint32_t slot, bool& foreign, uint8_t* scratch, size_t scratch_bytes) const;

  const Storage& storage_;
  uint8_t patch_id_[8];
  uint64_t slot_bytes_;
  uint64_t sequence_ = 0;  // the highest that was met or made
  uint64_t slot_at_ = 0;
  uint64_t appended_ = 0;
  Checksum sum_{};
};

}  // namespace hone::delta
