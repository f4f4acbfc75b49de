/* That hone.h is C: compiled by a C compiler, linked into hone_test. */
#include "hone/hone.h"

int hone_h_is_c(void) {
  hone_options options = HONE_OPTIONS_INIT;
  hone_result result = HONE_RESULT_INIT;
  return options.struct_size == sizeof(hone_options) && result.label == HONE_NO_LABEL;
}
