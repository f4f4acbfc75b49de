// Hostile patches that are paused, saved and restored, hostile saved states, and hostile patches applied
// in place on a disk that fails. The header is completed so that it names the base at hand; a checksum of
// the input steers the rest.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/hash.hpp"
#include "shared/delta/check.hpp"
#include "shared/delta/decode/applier.hpp"
#include "shared/delta/device_for_test.hpp"
#include "shared/delta/format/checksum.hpp"

namespace {

using namespace hone;
using namespace hone::delta;

constexpr std::uint64_t kTargetMax = 1 << 16;

const Bytes& base() {
  static const Bytes made = [] {
    Bytes bytes(3 * 4096 + 100);
    std::uint32_t state = 1;
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
    return bytes;
  }();
  return made;
}

struct Steering {
  std::array<std::uint8_t, 32> bytes;
  [[nodiscard]] std::uint64_t at(std::size_t i) const {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data() + i, 4);
    return value;
  }
};

struct Workspace {
  std::vector<std::uint64_t> memory = std::vector<std::uint64_t>(Decoder::workspace_bytes(Profile::standard) / 8 + 64);
  [[nodiscard]] std::size_t bytes() const { return memory.size() * 8; }
};

Status decode_whole(TestDevice& device, Workspace& workspace, ByteView patch) {
  Decoder decoder;
  Status status = decoder.init(device.callbacks(), workspace.memory.data(), workspace.bytes(), kTargetMax);
  if (status == Status::ok) status = decoder.feed(patch.data(), patch.size());
  return status == Status::ok ? decoder.finish() : status;
}

bool append_to_bytes(void* to, const std::uint8_t* bytes, std::size_t count) {
  static_cast<Bytes*>(to)->insert(static_cast<Bytes*>(to)->end(), bytes, bytes + count);
  return true;
}
bool take_from_view(void* from, std::uint8_t* bytes, std::size_t count) {
  auto& rest = *static_cast<ByteView*>(from);
  if (rest.size() < count) return false;
  std::copy_n(rest.begin(), count, bytes);
  rest = rest.subspan(count);
  return true;
}

Status run_on(Decoder& decoder, ByteView patch, std::size_t piece) {
  while (decoder.status() == Status::ok && decoder.consumed() < patch.size()) {
    const auto at = static_cast<std::size_t>(decoder.consumed());
    (void)decoder.feed(patch.data() + at, std::min(piece, patch.size() - at));
  }
  return decoder.status() == Status::ok ? decoder.finish() : decoder.status();
}

// A few pauses, each with a save; the last state is kept.
Status decode_in_parts(TestDevice& device, Workspace& workspace, ByteView patch, const Steering& steering, Bytes& state) {
  const std::size_t piece = 1 + steering.at(0) % 700;
  const std::uint64_t step = 9 + steering.at(4) % 5000;
  Decoder decoder;
  (void)decoder.init(device.callbacks(), workspace.memory.data(), workspace.bytes(), kTargetMax);
  for (int stop = 0; stop < 3; ++stop) {
    (void)decoder.pause_at(decoder.written() + step);
    if (run_on(decoder, patch, piece) != Status::paused) return decoder.status();
    if (device.written.size() != decoder.written_out()) std::abort();
    state.clear();
    if (decoder.save(&state, append_to_bytes) != Status::ok) std::abort();
    ByteView left = state;
    decoder = Decoder{};
    if (decoder.restore(device.callbacks(), workspace.memory.data(), workspace.bytes(), kTargetMax, &left, take_from_view) != Status::ok)
      std::abort();
  }
  return run_on(decoder, patch, piece);
}

void restore_hostile(TestDevice& device, Workspace& workspace, ByteView patch, const Steering& steering, Bytes state) {
  for (std::size_t i = 0; i < 6; ++i) {
    const std::size_t range = i % 2 == 0 ? 1100 : state.size() - 8;
    state[steering.at(8 + 2 * i) % range] = steering.bytes[20 + i];
  }
  Checksum sum;
  sum.add(state.data(), state.size() - 8);
  for (std::size_t i = 0; i < 8; ++i) state[state.size() - 8 + i] = static_cast<std::uint8_t>(sum.value() >> (8 * i));
  ByteView left = state;
  Decoder decoder;
  // Its header may lie about sizes: the callbacks refuse what is not there.
  if (decoder.restore(device.callbacks(), workspace.memory.data(), workspace.bytes(), kTargetMax, &left, take_from_view) != Status::ok)
    return;
  if (run_on(decoder, patch, 1 + steering.at(0) % 700) == Status::done && device.written.size() > kTargetMax) std::abort();
}

// A disk in memory on which one operation fails, and all after it until it is mended.
struct Disk {
  Bytes target = base();
  Bytes journal{};
  ByteView patch{};
  Sha256Stream hash{};
  std::uint64_t operations_left = ~std::uint64_t{0};

  bool works() { return operations_left > 0 && --operations_left > 0; }
  Bytes& at(Place place) {
    if (place == Place::base) std::abort();  // in place there is none
    return place == Place::target ? target : journal;
  }
  static Disk& of(void* self) { return *static_cast<Disk*>(self); }
  Storage storage() {
    Storage calls{};
    calls.context = this;
    calls.patch_bytes = patch.size();
    calls.read = [](void* self, Place place, std::uint64_t offset, std::uint8_t* bytes, std::size_t count) {
      const Bytes& file = of(self).at(place);
      if (offset > file.size() || count > file.size() - offset) return false;
      if (count > 0) std::memcpy(bytes, file.data() + offset, count);
      return true;
    };
    calls.write = [](void* self, Place place, std::uint64_t offset, const std::uint8_t* bytes, std::size_t count) {
      if (!of(self).works()) return false;
      Bytes& file = of(self).at(place);
      if (offset > (4u << 20) || count > (4u << 20)) std::abort();
      if (file.size() < offset + count) file.resize(offset + count);
      if (count > 0) std::memcpy(file.data() + offset, bytes, count);
      return true;
    };
    calls.sync = [](void* self, Place) { return of(self).works(); };
    calls.resize = [](void* self, Place place, std::uint64_t bytes) {
      if (!of(self).works() || bytes > (4u << 20)) return false;
      of(self).at(place).resize(bytes);
      return true;
    };
    calls.bytes = [](void* self, Place place) -> std::uint64_t { return of(self).at(place).size(); };
    calls.read_patch = [](void* self, std::uint64_t offset, std::uint8_t* bytes, std::size_t count) {
      const ByteView patch_bytes = of(self).patch;
      if (offset > patch_bytes.size() || count > patch_bytes.size() - offset) std::abort();
      if (count > 0) std::memcpy(bytes, patch_bytes.data() + offset, count);
      return true;
    };
    calls.conclude = [](void* self) { return of(self).journal.clear(), true; };
    calls.hash_begin = [](void* self) { of(self).hash = Sha256Stream(); };
    calls.hash_add = [](void* self, const std::uint8_t* bytes, std::size_t count) { of(self).hash.update({bytes, count}); };
    calls.hash_end = [](void* self, std::uint8_t* digest) {
      const Sha256 end = of(self).hash.finish();
      std::copy(end.bytes.begin(), end.bytes.end(), digest);
    };
    return calls;
  }
};

void apply_in_place(Workspace& workspace, Bytes patch, const Steering& steering, Status whole, const Bytes& target) {
  const Sha256 check = check_of(patch);
  std::copy_n(check.bytes.begin(), kCheckBytes, patch.begin() + kCheckOffset);
  Disk disk;
  disk.patch = patch;
  disk.operations_left = 1 + steering.at(12) % 60;
  const Storage storage = disk.storage();
  for (int attempt = 0; attempt < 2; ++attempt) {
    Applier applier(storage, workspace.memory.data(), workspace.bytes());
    const Status status = applier.apply_in_place(kTargetMax);
    if (status == Status::done && (whole != Status::done || disk.target != target)) std::abort();
    if (attempt == 1 && whole == Status::done && status != Status::done) std::abort();
    disk.operations_left = ~std::uint64_t{0};
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Workspace workspace;
  static const Sha256 base_hash = sha256(base());
  Bytes patch(data, data + size);
  if (patch.size() < kInPlaceHeaderBytes) return 0;
  Steering steering{};
  Checksum sum;
  for (std::uint8_t& byte : steering.bytes) {
    sum.add(data, size % 1000);
    byte = static_cast<std::uint8_t>(sum.value());
  }
  const bool in_place = patch[6] != 0;
  std::memcpy(patch.data(), kMagic, 4);
  patch[4] = kVersion;
  patch[5] &= 1;
  patch[6] = in_place ? 12 : 0;
  patch[7] = 0;
  const std::uint64_t base_bytes = base().size();
  std::memcpy(patch.data() + 8, &base_bytes, 8);
  std::memset(patch.data() + 18, 0, 6);
  std::copy(base_hash.bytes.begin(), base_hash.bytes.end(), patch.begin() + 24);
  if (in_place) {
    patch[88] %= 4;
    std::memset(patch.data() + 89, 0, 3);
  }
  TestDevice first{base()};
  Status whole = decode_whole(first, workspace, patch);
  if (whole == Status::wrong_target) {  // name what it makes, so that some come to the end
    const Sha256 target = sha256(first.written);
    std::copy(target.bytes.begin(), target.bytes.end(), patch.begin() + 56);
    first = TestDevice{base()};
    whole = decode_whole(first, workspace, patch);
    if (whole != Status::done) std::abort();
  }
  TestDevice second{base()};
  Bytes state;
  if (decode_in_parts(second, workspace, patch, steering, state) != whole) std::abort();
  if (whole == Status::done && second.written != first.written) std::abort();
  if (first.out_of_bounds || second.out_of_bounds) std::abort();
  if (!state.empty()) {
    TestDevice third{base(), first.written};
    restore_hostile(third, workspace, patch, steering, state);
  }
  if (in_place) apply_in_place(workspace, patch, steering, whole, first.written);
  return 0;
}
