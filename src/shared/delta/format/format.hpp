// The container of a hone delta: constants, limits, the fixed header. docs/formats/delta.md is
// normative. Freestanding: no heap, no exceptions, nothing of libc but mem*.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace hone::delta {

inline constexpr uint8_t kMagic[4] = {'H', 'N', 'D', 'L'};
inline constexpr uint8_t kVersion = 1;
inline constexpr size_t kHeaderBytes = 88;
inline constexpr size_t kHashBytes = 32;
// No operation of the coded stream takes more bytes of the patch than this in one step.
inline constexpr size_t kStepBytesMax = 128;
inline constexpr uint64_t kFileBytesMax = uint64_t{1} << 40;

enum class Profile : uint8_t {
  small = 0,     // workspace at most 16 KiB, whatever the model's size
  standard = 1,  // workspace at most 1 MiB
};

// One byte; zero is good. Numbers are append-only.
enum class Status : uint8_t {
  ok = 0,                // more input is welcome
  done = 1,              // the target is complete and its hash is right
  not_a_patch = 2,       // the magic is missing
  unknown_version = 3,   // made by a newer hone
  bad_header = 4,        // a field is out of its limits
  wrong_base = 5,        // the base is not the file that the patch was made from
  target_too_large = 6,  // larger than the caller allows
  truncated = 7,         // the patch ends too early
  damaged = 8,           // an operation breaks the rules
  wrong_target = 9,      // rebuilt to the end, but the hash differs
  trailing_bytes = 10,   // bytes after the end
  io_base = 11,          // a callback failed
  io_target = 12,
  workspace_too_small = 13,
  misuse = 14,     // feed after the end, or before init
  paused = 15,     // the target has come to the place where pause_at wanted to stop
  bad_state = 16,  // a saved state is damaged, of another version, or was never one
};

// Element types of the tensors that are coded as values.
enum class Type : uint8_t { f32, f16, bf16, f64, i8, u8, i16, i32, count };

enum class Op : uint8_t {
  generic = 0,   // matches and literals
  copy = 1,      // bytes of the base
  residual = 2,  // values, each the base's value plus a difference
  intra = 3,     // values without a base
  stored = 4,    // raw bytes
  count = 5,
};

struct Header {
  Profile profile = Profile::standard;
  uint8_t flags = 0;
  uint64_t base_bytes = 0;
  uint64_t target_bytes = 0;
  uint8_t base_sha256[kHashBytes] = {};
  uint8_t target_sha256[kHashBytes] = {};
};

// Reads the first kHeaderBytes of a patch.
inline Status read_header(const uint8_t* bytes, Header& header) {
  for (int i = 0; i < 4; ++i)
    if (bytes[i] != kMagic[i]) return Status::not_a_patch;
  if (bytes[4] != kVersion) return Status::unknown_version;
  if (bytes[5] > 1 || bytes[6] != 0 || bytes[7] != 0) return Status::bad_header;
  header.profile = static_cast<Profile>(bytes[5]);
  header.flags = bytes[6];
  header.base_bytes = header.target_bytes = 0;
  for (int i = 7; i >= 0; --i) {
    header.base_bytes = header.base_bytes << 8 | bytes[8 + i];
    header.target_bytes = header.target_bytes << 8 | bytes[16 + i];
  }
  if (header.base_bytes > kFileBytesMax || header.target_bytes > kFileBytesMax) return Status::bad_header;
  for (size_t i = 0; i < kHashBytes; ++i) {
    header.base_sha256[i] = bytes[24 + i];
    header.target_sha256[i] = bytes[56 + i];
  }
  return Status::ok;
}

inline void write_header(const Header& header, uint8_t* bytes) {
  for (int i = 0; i < 4; ++i) bytes[i] = kMagic[i];
  bytes[4] = kVersion;
  bytes[5] = static_cast<uint8_t>(header.profile);
  bytes[6] = header.flags;
  bytes[7] = 0;
  for (int i = 0; i < 8; ++i) {
    bytes[8 + i] = static_cast<uint8_t>(header.base_bytes >> (8 * i));
    bytes[16 + i] = static_cast<uint8_t>(header.target_bytes >> (8 * i));
  }
  for (size_t i = 0; i < kHashBytes; ++i) {
    bytes[24 + i] = header.base_sha256[i];
    bytes[56 + i] = header.target_sha256[i];
  }
}

}  // namespace hone::delta
