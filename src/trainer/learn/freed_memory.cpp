#include "trainer/learn/freed_memory.hpp"

#if defined(__GLIBC__) || __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace hone::trainer {
namespace {

constexpr int kMappedApartFrom = 32 << 20;  // bytes; the most that glibc takes
constexpr int kKeptMax = 512 << 20;         // bytes at the end of the heap

}  // namespace

void keep_freed_memory() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, kMappedApartFrom);
  mallopt(M_TRIM_THRESHOLD, kKeptMax);
#endif
}

}  // namespace hone::trainer
