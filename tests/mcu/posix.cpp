// Files and text on Linux, for the run under qemu-aarch64.
#include <stdio.h>

#include "target.hpp"

namespace hone::mcu {

int32_t read_file(const char* path, uint8_t* bytes, size_t room) {
  FILE* file = fopen(path, "rb");
  if (file == nullptr) return -1;
  const size_t read = fread(bytes, 1, room, file);
  const bool whole = fgetc(file) == EOF;
  fclose(file);
  return whole ? static_cast<int32_t>(read) : -1;
}
void print(const char* text) { fputs(text, stdout); }
void paint_stack() {}
uint32_t stack_used() { return 0; }

}  // namespace hone::mcu

int main(int count, char** words) { return run(count, words); }
