// See example.cpp.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "shared/delta/format/format.hpp"

struct Flash {
  uint8_t* bytes;
  uint32_t used;
  uint32_t room;
};

hone::delta::Status update_begin(const Flash& old_model, Flash& new_model);
hone::delta::Status update_feed(const uint8_t* bytes, size_t count);
hone::delta::Status update_finish();
