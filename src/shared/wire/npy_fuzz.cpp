// A .npy header is either refused or describes exactly the bytes that are there.
#include <cstdint>
#include <cstdlib>

#include "shared/wire/npy.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hone;
  const ByteView file(data, size);
  const auto header = wire::parse_npy(file, size);
  if (!header) return 0;
  if (header->data_offset + header->data_bytes != size) std::abort();
  // Written again, it says the same.
  const Bytes again = wire::npy_header(header->descr, header->shape);
  const auto reread = wire::parse_npy(again, again.size() + header->data_bytes);
  if (!reread || reread->shape != header->shape || reread->descr != header->descr) std::abort();
  return 0;
}
