// Where speed matters all of an element's coding becomes one function, so that the range coder's state
// stays in registers; where space matters (a microcontroller, compiled with -Os) the compiler decides.
#pragma once

#ifdef __OPTIMIZE_SIZE__
#define HONE_DELTA_INLINE inline
#else
#define HONE_DELTA_INLINE [[gnu::always_inline]] inline
#endif
