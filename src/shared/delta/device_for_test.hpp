// What a decoder under test works on: a base and a target in memory, and whether a callback was ever
// asked for what it must not be asked for.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "shared/delta/decode/decoder.hpp"

namespace hone::delta {

struct TestDevice {
  Bytes base;
  Bytes written{};
  Sha256Stream hash{};
  bool out_of_bounds = false;
  std::uint64_t writes_left = ~std::uint64_t{0};

  Callbacks callbacks() {
    Callbacks calls{};
    calls.context = this;
    calls.read_base = [](void* self, std::uint64_t at, std::uint8_t* to, std::size_t n) {
      auto& device = *static_cast<TestDevice*>(self);
      if (at > device.base.size() || n > device.base.size() - at) return device.out_of_bounds = true, false;
      if (n > 0) std::memcpy(to, device.base.data() + at, n);
      return true;
    };
    calls.write_target = [](void* self, const std::uint8_t* from, std::size_t n) {
      auto& device = *static_cast<TestDevice*>(self);
      if (device.writes_left-- == 0) return false;
      device.written.insert(device.written.end(), from, from + n);
      return true;
    };
    calls.read_target = [](void* self, std::uint64_t at, std::uint8_t* to, std::size_t n) {
      auto& device = *static_cast<TestDevice*>(self);
      if (at > device.written.size() || n > device.written.size() - at) return device.out_of_bounds = true, false;
      if (n > 0) std::memcpy(to, device.written.data() + at, n);
      return true;
    };
    calls.base_bytes = [](void* self) -> std::uint64_t { return static_cast<TestDevice*>(self)->base.size(); };
    calls.hash_begin = [](void* self) { static_cast<TestDevice*>(self)->hash = Sha256Stream(); };
    calls.hash_add = [](void* self, const std::uint8_t* from, std::size_t n) { static_cast<TestDevice*>(self)->hash.update({from, n}); };
    calls.hash_end = [](void* self, std::uint8_t* digest) {
      const Sha256 end = static_cast<TestDevice*>(self)->hash.finish();
      std::copy(end.bytes.begin(), end.bytes.end(), digest);
    };
    return calls;
  }
};

}  // namespace hone::delta
