// A complete update on a microcontroller: the old model lies in flash where it can be read, the patch
// arrives in pieces over the radio, the new model goes to other flash. docs/microcontroller.md shows
// this file; the tests compile it and run it.
#include "example.hpp"

#include "sha256.hpp"
#include "shared/delta/decode/decoder.hpp"
#include "shared/delta/decode/memory.hpp"

namespace {

using hone::delta::Decoder;
using hone::delta::Profile;
using hone::delta::Status;

// All the memory there is, whatever the model's size: with the decoder itself at most 16 KiB.
constexpr Profile kProfile = hone::delta::kSmallOnly ? Profile::small : Profile::standard;
alignas(8) uint8_t workspace[Decoder::workspace_bytes(kProfile)];

struct Update {
  const Flash* old_model;
  Flash* new_model;
  uint32_t written;
  hone::mcu::Sha256 hash;  // or the chip's accelerator
  Decoder decoder;
} update;

bool read_base(void*, uint64_t offset, uint8_t* bytes, size_t count) {
  memcpy(bytes, update.old_model->bytes + offset, count);
  return true;
}
bool write_target(void*, const uint8_t* bytes, size_t count) {
  if (count > update.new_model->room - update.written) return false;
  memcpy(update.new_model->bytes + update.written, bytes, count);  // here a driver would program pages
  update.written += static_cast<uint32_t>(count);
  return true;
}
bool read_target(void*, uint64_t offset, uint8_t* bytes, size_t count) {
  memcpy(bytes, update.new_model->bytes + offset, count);
  return true;
}
uint64_t base_bytes(void*) { return update.old_model->used; }
void hash_begin(void*) { update.hash = hone::mcu::Sha256(); }
void hash_add(void*, const uint8_t* bytes, size_t count) { update.hash.add(bytes, count); }
void hash_end(void*, uint8_t* digest) { update.hash.end(digest); }

}  // namespace

Status update_begin(const Flash& old_model, Flash& new_model) {
  update.old_model = &old_model;
  update.new_model = &new_model;
  update.written = 0;
  const hone::delta::Callbacks callbacks{nullptr,    read_base, write_target, read_target, base_bytes,
                                         hash_begin, hash_add,  hash_end,     nullptr};
  return update.decoder.init(callbacks, workspace, sizeof workspace, new_model.room);
}

Status update_feed(const uint8_t* bytes, size_t count) { return update.decoder.feed(bytes, count); }

// Status::done: the new model is complete and its hash is right. Only then may it be used.
Status update_finish() {
  const Status status = update.decoder.finish();
  if (status == Status::done) update.new_model->used = update.written;
  return status;
}
