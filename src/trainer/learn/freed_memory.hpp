// What a training step frees, the next one wants again.
#pragma once

namespace hone::trainer {

// Tells the C library to keep freed blocks instead of giving their pages back at once: each step of a
// network on images allocates and frees tens of megabytes, and faulting their pages in anew took a
// quarter of the time. Of the process, for good; where the C library is not glibc it does nothing.
void keep_freed_memory();

}  // namespace hone::trainer
