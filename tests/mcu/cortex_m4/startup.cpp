// From reset to start(): a Cortex-M4 with its FPU, as on Arm's MPS2 board with image AN386.
#include <stdint.h>

#include "shared/delta/decode/memory.hpp"

extern "C" {
extern uint8_t image_data[];  // the linker script's
extern uint8_t data_begin[];
extern uint8_t data_end[];
extern uint8_t bss_begin[];
extern uint8_t bss_end[];
extern uint8_t stack_top[];
void start();
[[noreturn]] void end(uint32_t code);

[[noreturn]] void reset() {
  // CPACR: full access to CP10 and CP11, or the first instruction that touches the FPU faults.
  *reinterpret_cast<volatile uint32_t*>(0xE000ED88u) |= 0xFu << 20;
  asm volatile("dsb\n isb" ::: "memory");
  memcpy(data_begin, image_data, static_cast<size_t>(data_end - data_begin));
  memset(bss_begin, 0, static_cast<size_t>(bss_end - bss_begin));
  start();
  end(0);
}
[[noreturn]] void fault() { end(99); }

[[gnu::section(".vectors"), gnu::used]] const void* const vectors[16] = {
    stack_top,
    reinterpret_cast<const void*>(reset),
    reinterpret_cast<const void*>(fault),  // NMI
    reinterpret_cast<const void*>(fault),  // hard fault
    reinterpret_cast<const void*>(fault),  // memory management
    reinterpret_cast<const void*>(fault),  // bus
    reinterpret_cast<const void*>(fault),  // usage
};
}
