// The container of a hone delta: constants, limits, the fixed header. docs/formats/delta.md is
// normative. Freestanding: no heap, no exceptions, nothing of libc but mem*.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace hone::delta {

inline constexpr uint8_t kMagic[4] = {'H', 'N', 'D', 'L'};
inline constexpr uint8_t kVersion = 1;
inline constexpr size_t kHeaderBytes = 88;
inline constexpr size_t kInPlaceHeaderBytes = 100;  // of a patch that is applied in place
inline constexpr uint8_t kBlockLog2Min = 12;
inline constexpr uint8_t kBlockLog2Max = 20;
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
  out_of_reach = 17,     // an in-place patch reads a part of the base that it has overwritten by then
  not_in_place = 18,     // the patch was made for a new file
  foreign_journal = 19,  // the journal is another patch's, which is to be ended first
  io_journal = 20,
  unsupported_profile = 21,  // this decoder was built for the small profile only
};

// Whether what is compiled knows the small profile only: for microcontrollers (docs/microcontroller.md).
#ifdef HONE_DELTA_SMALL_ONLY
inline constexpr bool kSmallOnly = true;
#else
inline constexpr bool kSmallOnly = false;
#endif

// Element types of the tensors that are coded as values.
enum class Type : uint8_t { f32, f16, bf16, f64, i8, u8, i16, i32, count };

enum class Op : uint8_t {
  generic = 0,   // matches and literals
  copy = 1,      // bytes of the base
  residual = 2,  // values, each the base's value plus a difference
  intra = 3,     // values without a base
  stored = 4,    // raw bytes
  lattice = 5,   // fp32 values, each the base's plus a multiple of one power of two
  low_rank = 6,  // the same, the multiples being a product of thin matrices
  count = 7,
};

[[nodiscard]] constexpr bool is_on_lattice(Op op) { return op == Op::lattice || op == Op::low_rank; }
[[nodiscard]] constexpr bool has_type(Op op) { return op == Op::residual || op == Op::intra; }
[[nodiscard]] constexpr bool has_values(Op op) { return has_type(op) || is_on_lattice(op); }
[[nodiscard]] constexpr bool has_base(Op op) { return op == Op::copy || op == Op::residual || is_on_lattice(op); }

struct Header {
  Profile profile = Profile::standard;
  uint8_t block_log2 = 0;  // 0: the target is a new file; else it may take the base's place, in such blocks
  uint64_t base_bytes = 0;
  uint64_t target_bytes = 0;
  uint8_t base_sha256[kHashBytes] = {};
  uint8_t target_sha256[kHashBytes] = {};
  // In place only:
  uint32_t shift_blocks = 0;  // by which the base is moved up first
  uint8_t check[8] = {};      // the first bytes of the SHA-256 of the patch without them

  [[nodiscard]] size_t bytes() const { return block_log2 == 0 ? kHeaderBytes : kInPlaceHeaderBytes; }
  [[nodiscard]] uint64_t block_bytes() const { return block_log2 == 0 ? 0 : uint64_t{1} << block_log2; }
  [[nodiscard]] uint64_t shift_bytes() const { return uint64_t{shift_blocks} << block_log2; }
};
inline constexpr size_t kCheckOffset = 92;
inline constexpr size_t kCheckBytes = 8;

// Reads the header at the beginning of a patch; `truncated` when `count` bytes are not enough.
inline Status read_header(const uint8_t* bytes, size_t count, Header& header) {
  if (count < kHeaderBytes) return Status::truncated;
  for (int i = 0; i < 4; ++i)
    if (bytes[i] != kMagic[i]) return Status::not_a_patch;
  if (bytes[4] != kVersion) return Status::unknown_version;
  if (bytes[5] > 1 || bytes[7] != 0) return Status::bad_header;
  header = Header{};
  header.profile = static_cast<Profile>(bytes[5]);
  header.block_log2 = bytes[6];
  for (int i = 7; i >= 0; --i) {
    header.base_bytes = header.base_bytes << 8 | bytes[8 + i];
    header.target_bytes = header.target_bytes << 8 | bytes[16 + i];
  }
  if (header.base_bytes > kFileBytesMax || header.target_bytes > kFileBytesMax) return Status::bad_header;
  for (size_t i = 0; i < kHashBytes; ++i) {
    header.base_sha256[i] = bytes[24 + i];
    header.target_sha256[i] = bytes[56 + i];
  }
  if (header.block_log2 == 0) return Status::ok;
  if (header.block_log2 < kBlockLog2Min || header.block_log2 > kBlockLog2Max) return Status::bad_header;
  if (count < kInPlaceHeaderBytes) return Status::truncated;
  for (int i = 3; i >= 0; --i) header.shift_blocks = header.shift_blocks << 8 | bytes[88 + i];
  if (header.shift_bytes() >= header.base_bytes + header.block_bytes()) return Status::bad_header;
  for (size_t i = 0; i < kCheckBytes; ++i) header.check[i] = bytes[kCheckOffset + i];
  return Status::ok;
}

// Writes header.bytes() bytes.
inline void write_header(const Header& header, uint8_t* bytes) {
  for (int i = 0; i < 4; ++i) bytes[i] = kMagic[i];
  bytes[4] = kVersion;
  bytes[5] = static_cast<uint8_t>(header.profile);
  bytes[6] = header.block_log2;
  bytes[7] = 0;
  for (int i = 0; i < 8; ++i) {
    bytes[8 + i] = static_cast<uint8_t>(header.base_bytes >> (8 * i));
    bytes[16 + i] = static_cast<uint8_t>(header.target_bytes >> (8 * i));
  }
  for (size_t i = 0; i < kHashBytes; ++i) {
    bytes[24 + i] = header.base_sha256[i];
    bytes[56 + i] = header.target_sha256[i];
  }
  if (header.block_log2 == 0) return;
  for (int i = 0; i < 4; ++i) bytes[88 + i] = static_cast<uint8_t>(header.shift_blocks >> (8 * i));
  for (size_t i = 0; i < kCheckBytes; ++i) bytes[kCheckOffset + i] = header.check[i];
}

}  // namespace hone::delta
