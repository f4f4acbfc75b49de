// A file of figures is either refused or gives exactly as many finite numbers as there are rows.
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "shared/wire/figures.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hone;
  if (size == 0) return 0;
  const std::int64_t rows = data[0];
  const auto figures = wire::figures_from_npy(ByteView(data + 1, size - 1), rows);
  if (!figures) return 0;
  if (static_cast<std::int64_t>(figures->size()) != rows || size - 1 > wire::figures_bytes_max(rows)) std::abort();
  for (const double figure : *figures)
    if (!std::isfinite(figure)) std::abort();
  return 0;
}
