// What the applier needs from its surroundings: three files, or parts of a flash. Functions return
// false when they cannot; `context` is handed back as it is. Freestanding.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace hone::delta {

enum class Place : uint8_t { base, target, journal };  // in place only target and journal are used

struct Storage {
  void* context;
  bool (*read)(void* context, Place place, uint64_t offset, uint8_t* bytes, size_t count);  // all of it, or false
  bool (*write)(void* context, Place place, uint64_t offset, const uint8_t* bytes, size_t count);
  bool (*sync)(void* context, Place place);  // what was written survives a power cut, under its name
  bool (*resize)(void* context, Place place, uint64_t bytes);
  uint64_t (*bytes)(void* context, Place place);  // 0 when there is none
  bool (*read_patch)(void* context, uint64_t offset, uint8_t* bytes, size_t count);
  uint64_t patch_bytes;
  // The target is complete, synced and checked: give it its name, then forget the journal, durably.
  bool (*conclude)(void* context);
  // May be null: so many bytes of the target are done.
  void (*on_progress)(void* context, uint64_t done, uint64_t total);
  // SHA-256, one stream at a time.
  void (*hash_begin)(void* context);
  void (*hash_add)(void* context, const uint8_t* bytes, size_t count);
  void (*hash_end)(void* context, uint8_t* digest);
};

}  // namespace hone::delta
