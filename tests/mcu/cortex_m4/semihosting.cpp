// Files, text, arguments and the exit through the debugger's calls ("Semihosting for AArch32 and
// AArch64", Arm, release 2.0), which QEMU answers.
#include "target.hpp"

namespace {

enum Call : uint32_t { open = 0x01, close = 0x02, write0 = 0x04, read = 0x06, length = 0x0C, command_line = 0x15, exit_extended = 0x20 };
constexpr uint32_t kApplicationExit = 0x20026;

uint32_t semihost(Call call, const void* argument) {
  register uint32_t r0 asm("r0") = call;
  register const void* r1 asm("r1") = argument;
  asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

constexpr uint32_t kPaint = 0xC0FFEE11;
constexpr uint32_t kPaintedWords = 2048;
volatile uint32_t* painted;  // the lowest word

uint32_t stack_pointer() {
  uint32_t sp = 0;
  asm volatile("mov %0, sp" : "=r"(sp));
  return sp;
}

char words_text[8192];
const char* words[256];

}  // namespace

namespace hone::mcu {

int32_t read_file(const char* path, uint8_t* bytes, size_t room) {
  uint32_t path_length = 0;
  while (path[path_length] != 0) ++path_length;
  constexpr uint32_t kReadBinary = 1;
  const uint32_t to_open[3] = {reinterpret_cast<uint32_t>(path), kReadBinary, path_length};
  const uint32_t file = semihost(Call::open, to_open);
  if (file == 0xFFFFFFFFu) return -1;
  const uint32_t size = semihost(Call::length, &file);
  int32_t got = -1;
  if (size <= room) {
    const uint32_t to_read[3] = {file, reinterpret_cast<uint32_t>(bytes), size};
    if (size == 0 || semihost(Call::read, to_read) == 0) got = static_cast<int32_t>(size);
  }
  semihost(Call::close, &file);
  return got;
}
void print(const char* text) { semihost(Call::write0, text); }
[[gnu::noinline]] void paint_stack() {
  painted = reinterpret_cast<volatile uint32_t*>(stack_pointer()) - kPaintedWords - 16;  // 16: what this call needs
  for (uint32_t i = 0; i < kPaintedWords; ++i) painted[i] = kPaint;
}
[[gnu::noinline]] uint32_t stack_used() {
  uint32_t i = 0;
  while (i < kPaintedWords && painted[i] == kPaint) ++i;
  return (kPaintedWords + 16 - i) * 4;
}

}  // namespace hone::mcu

extern "C" [[noreturn]] void end(uint32_t code) {
  const uint32_t reason[2] = {kApplicationExit, code};
  semihost(Call::exit_extended, reason);
  for (;;) {
  }
}

extern "C" void start() {
  uint32_t line[2] = {reinterpret_cast<uint32_t>(words_text), sizeof words_text};
  if (semihost(Call::command_line, line) != 0) end(3);
  int count = 0;
  for (char* c = words_text; *c != 0 && count < 256;) {
    while (*c == ' ') *c++ = 0;
    if (*c == 0) break;
    words[count++] = c;
    while (*c != 0 && *c != ' ') ++c;
  }
  end(static_cast<uint32_t>(run(count, words)));
}
