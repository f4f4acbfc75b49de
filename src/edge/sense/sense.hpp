// A sample as the application observed it, and what makes it fit the pipeline's signal.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "shared/wire/signal.hpp"

namespace hone::edge {

struct Sample {
  ByteView bytes;           // borrowed: one raw sample, as the signal's shape and dtype say
  std::int64_t label = -1;  // index into the signal's labels; -1: none
  Time at{};
};

// `invalid` with the sizes or the label range when the sample does not fit.
[[nodiscard]] Result<> check(const Sample& sample, const wire::Signal& signal);

// What can be checked before the device has ever heard its signal: size bounds of any batch.
[[nodiscard]] Result<> check(const Sample& sample);

}  // namespace hone::edge
