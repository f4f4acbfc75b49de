// What the golden test needs of the machine it runs on: semihosting.cpp on a Cortex-M, posix.cpp on Linux.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace hone::mcu {

// The whole file, when it fits; -1 when it cannot be read or is larger.
int32_t read_file(const char* path, uint8_t* bytes, size_t room);
void print(const char* text);
// How deep the stack has been below the caller since paint_stack(); 0 where that is not known.
void paint_stack();
uint32_t stack_used();

}  // namespace hone::mcu

// `words` are the program's arguments. Returns the exit code.
int run(int count, const char* const* words);
