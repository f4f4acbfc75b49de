// Decodes golden patches on the target through the example, fed in small pieces, and compares.
//   golden FOLDER CASE...      CASE is a file's name without ".delta": noise-small, moved.bad-flip
// A bad one must be refused. So must one in the standard profile by a build for the small one only.

#include "example.hpp"
#include "shared/delta/decode/memory.hpp"
#include "target.hpp"

namespace {

using hone::delta::Status;
using hone::mcu::print;

constexpr uint32_t kRoom = 64 * 1024;
uint8_t base_flash[kRoom];
uint8_t target_flash[kRoom];
uint8_t patch[kRoom];
uint8_t expected[kRoom];

size_t length(const char* text) {
  size_t n = 0;
  while (text[n] != 0) ++n;
  return n;
}
bool contains(const char* text, const char* part) {
  for (; *text != 0; ++text) {
    size_t i = 0;
    while (part[i] != 0 && text[i] == part[i]) ++i;
    if (part[i] == 0) return true;
  }
  return false;
}

// FOLDER/<name up to its first `stop`><ending>
bool load(const char* folder, const char* name, const char* stops, const char* ending, uint8_t* bytes, uint32_t& size) {
  char path[512];
  size_t at = 0;
  const auto put = [&](char c) {
    if (at + 1 < sizeof path) path[at++] = c;
  };
  for (const char* c = folder; *c != 0; ++c) put(*c);
  put('/');
  for (const char* c = name; *c != 0; ++c) {
    bool stop = false;
    for (const char* s = stops; *s != 0; ++s) stop = stop || *c == *s;
    if (stop) break;
    put(*c);
  }
  for (const char* c = ending; *c != 0; ++c) put(*c);
  path[at] = 0;
  const int32_t read = hone::mcu::read_file(path, bytes, kRoom);
  if (read < 0) {
    print("cannot be read: ");
    print(path);
    print("\n");
    return false;
  }
  size = static_cast<uint32_t>(read);
  return true;
}

constexpr uint32_t kStackMax = 1024;
uint32_t stack_deepest = 0;

Status decode(uint32_t base_size, uint32_t patch_size, uint32_t piece, Flash& target) {
  const Flash base{base_flash, base_size, kRoom};
  hone::mcu::paint_stack();
  Status status = update_begin(base, target);
  for (uint32_t at = 0; at < patch_size && status == Status::ok; at += piece)
    status = update_feed(patch + at, piece < patch_size - at ? piece : patch_size - at);
  if (status == Status::ok) status = update_finish();
  const uint32_t used = hone::mcu::stack_used();
  if (used > stack_deepest) stack_deepest = used;
  return status;
}

void say(const char* name, const char* what) {
  print(name);
  print(": ");
  print(what);
  print("\n");
}

bool check(const char* folder, const char* name) {
  uint32_t base_size = 0;
  uint32_t patch_size = 0;
  uint32_t expected_size = 0;
  if (!load(folder, name, "-.", ".base", base_flash, base_size) || !load(folder, name, "", ".delta", patch, patch_size))
    return false;
  Flash target{target_flash, 0, kRoom};
  if (contains(name, ".bad")) {
    if (decode(base_size, patch_size, 50, target) != Status::done) return true;
    say(name, "was taken though it is bad");
    return false;
  }
#ifdef HONE_DELTA_SMALL_ONLY
  if (contains(name, "-standard")) {
    if (decode(base_size, patch_size, 50, target) == Status::unsupported_profile) return true;
    say(name, "was not refused as one in the standard profile");
    return false;
  }
#endif
  if (!load(folder, name, "-", ".target", expected, expected_size)) return false;
  constexpr uint32_t kPieces[] = {1, 20, 244, kRoom};  // bytes at a time
  for (const uint32_t piece : kPieces) {
    memset(target_flash, 0xFF, kRoom);
    target.used = 0;
    if (decode(base_size, patch_size, piece, target) != Status::done) {
      say(name, "was refused");
      return false;
    }
    if (target.used != expected_size || memcmp(target_flash, expected, expected_size) != 0) {
      say(name, "decodes to something else");
      return false;
    }
  }
  return true;
}

}  // namespace

int run(int count, const char* const* words) {
  if (count < 3 || length(words[1]) == 0) {
    print("usage: golden FOLDER CASE...\n");
    return 2;
  }
  int failures = 0;
  for (int i = 2; i < count; ++i) failures += check(words[1], words[i]) ? 0 : 1;
  if (stack_deepest > 0) {
    char digits[12] = {};
    char* at = digits + sizeof digits - 1;
    for (uint32_t rest = stack_deepest; rest > 0; rest /= 10) *--at = static_cast<char>('0' + rest % 10);
    print("decoder_stack_bytes ");
    print(at);
    print("\n");
  }
  if (stack_deepest > kStackMax) ++failures;
  print(failures == 0 ? "all golden deltas decode or are refused as they should\n" : "failed\n");
  return failures == 0 ? 0 : 1;
}
