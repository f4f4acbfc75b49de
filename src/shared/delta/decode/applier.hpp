// Applies a whole patch to storage so that power may go at any write: what is found afterwards is the old
// file, the new one, or a file that the next run completes. Freestanding, no heap; a microcontroller
// gives it its flash.
//
//   Applier applier(storage, workspace, sizeof workspace);
//   status = applier.apply_in_place(target_bytes_max);     // over the base's own file, or
//   status = applier.apply_beside(target_bytes_max, step); // to a new one beside it
//
// To resume, call the same again with the same patch.
//
// In place: each block is decoded into the journal, together with the decoder's state after it, made
// durable there, and only then written over the base. The base's hash and the patch's check are looked at
// before the first write. The journal is trusted from then on, unless the file proves to be the base or
// the target as a whole. Beside: every `step` bytes of the target are made durable, then the decoder's state. Both
// read the target back and check its hash before `done`; storage.conclude() comes last.
//
// Statuses other than `done`: those of Decoder; not_in_place; foreign_journal (in place: another patch is
// half applied); io_journal, io_base, io_target: free what is short, then resume.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "shared/delta/decode/decoder.hpp"
#include "shared/delta/decode/journal.hpp"
#include "shared/delta/decode/storage.hpp"

namespace hone::delta {

class Applier {
 public:
  // At least; what there is more makes it faster: patch and files are read in pieces of this size.
  static constexpr size_t kScratchBytesMin = 256;
  [[nodiscard]] static size_t workspace_bytes(Profile profile) {
    return Decoder::workspace_bytes(profile) + kScratchBytesMin;
  }

  // `storage` and the workspace must outlive it.
  Applier(const Storage& storage, void* workspace, size_t workspace_bytes)
      : storage_(storage), workspace_(static_cast<uint8_t*>(workspace)), workspace_bytes_(workspace_bytes) {}

  Status apply_in_place(uint64_t target_bytes_max);
  Status apply_beside(uint64_t target_bytes_max, uint64_t step_bytes);  // 0: chosen by the profile

  [[nodiscard]] const Header& header() const { return header_; }

 private:
  Status read_patch_head();
  Status hash_patch();
  Status start_in_place(Journal& journal, Record& from);
  Status move_base(Journal& journal, uint64_t blocks_left);
  Status decode(Journal& journal, const Record& from, uint64_t target_bytes_max, uint64_t step_bytes);
  Status decode_to_pause();
  Status end_block(Journal& journal, RecordKind kind);
  Status write_block(Journal& journal, uint64_t place, uint64_t count);
  Status complete();
  Status copy_within_target(uint64_t from, uint64_t to, uint64_t count);
  bool hash_target(uint64_t bytes, uint8_t* digest);
  Callbacks callbacks();

  // For the decoder.
  bool read_base(uint64_t offset, uint8_t* bytes, size_t count);
  bool write_target(const uint8_t* bytes, size_t count);
  bool read_target(uint64_t offset, uint8_t* bytes, size_t count);

  const Storage& storage_;
  uint8_t* workspace_;
  size_t workspace_bytes_;
  uint8_t* scratch_ = nullptr;
  size_t scratch_bytes_ = 0;

  Header header_{};
  uint8_t patch_id_[8] = {};
  bool in_place_ = false;
  Decoder decoder_{};
  Journal* journal_ = nullptr;  // while decoding
  bool journal_failed_ = false;
  uint64_t block_at_ = 0;   // in place: where the block begins that is being decoded; beside: unused
  uint64_t block_used_ = 0;
  uint64_t written_ = 0;  // beside
  uint64_t state_at_ = 0;
};

}  // namespace hone::delta
