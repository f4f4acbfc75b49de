// Where speed matters all of an element's coding becomes one function, so that the range coder's state
// stays in registers; where space matters (a microcontroller, compiled with -Os) the compiler decides.
#pragma once

#ifdef __OPTIMIZE_SIZE__
#define HONE_DELTA_INLINE inline
#define HONE_DELTA_INLINE_LAMBDA
#else
#define HONE_DELTA_INLINE [[gnu::always_inline]] inline
#define HONE_DELTA_INLINE_LAMBDA __attribute__((always_inline))  // behind a lambda's parameters
#endif
