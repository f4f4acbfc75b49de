// The four functions that the decoder asks of its surroundings. Small, not fast; never made into calls
// of themselves (-fno-builtin).
#include <stddef.h>
#include <stdint.h>

extern "C" {
void* memcpy(void* to, const void* from, size_t count) {
  auto* t = static_cast<uint8_t*>(to);
  const auto* f = static_cast<const uint8_t*>(from);
  while (count-- > 0) *t++ = *f++;
  return to;
}
void* memmove(void* to, const void* from, size_t count) {
  auto* t = static_cast<uint8_t*>(to);
  const auto* f = static_cast<const uint8_t*>(from);
  if (t <= f) return memcpy(to, from, count);
  while (count-- > 0) t[count] = f[count];
  return to;
}
void* memset(void* to, int byte, size_t count) {
  auto* t = static_cast<uint8_t*>(to);
  while (count-- > 0) *t++ = static_cast<uint8_t>(byte);
  return to;
}
int memcmp(const void* a, const void* b, size_t count) {
  const auto* x = static_cast<const uint8_t*>(a);
  const auto* y = static_cast<const uint8_t*>(b);
  for (; count > 0; --count, ++x, ++y)
    if (*x != *y) return *x < *y ? -1 : 1;
  return 0;
}
}
