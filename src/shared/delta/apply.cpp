#include "shared/delta/apply.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "shared/delta/check.hpp"
#include "shared/delta/decode/decoder.hpp"
#include "shared/delta/traced_apply.hpp"

namespace hone::delta {
namespace {

// What the decoder's callbacks work on.
struct Surroundings {
  ByteView base;
  TargetSink* target;
  Sha256Stream hash;
  Result<> failure{};
  std::vector<TracedOperation>* trace = nullptr;
};

bool read_base(void* context, std::uint64_t offset, std::uint8_t* bytes, std::size_t count) {
  const auto& base = static_cast<Surroundings*>(context)->base;
  if (offset > base.size() || count > base.size() - offset) return false;
  std::memcpy(bytes, base.data() + offset, count);
  return true;
}
bool write_target(void* context, const std::uint8_t* bytes, std::size_t count) {
  auto& around = *static_cast<Surroundings*>(context);
  around.failure = around.target->write({bytes, count});
  return around.failure.has_value();
}
bool read_target(void* context, std::uint64_t offset, std::uint8_t* bytes, std::size_t count) {
  auto& around = *static_cast<Surroundings*>(context);
  around.failure = around.target->read(offset, {bytes, count});
  return around.failure.has_value();
}
std::uint64_t base_bytes(void* context) { return static_cast<Surroundings*>(context)->base.size(); }
void hash_begin(void* context) { static_cast<Surroundings*>(context)->hash = Sha256Stream(); }
void hash_add(void* context, const std::uint8_t* bytes, std::size_t count) {
  static_cast<Surroundings*>(context)->hash.update({bytes, count});
}
void hash_end(void* context, std::uint8_t* digest) {
  const Sha256 hash = static_cast<Surroundings*>(context)->hash.finish();
  std::copy(hash.bytes.begin(), hash.bytes.end(), digest);
}

void on_operation(void* context, const Operation& operation, std::uint64_t target_offset, std::uint64_t patch_offset) {
  if (auto* trace = static_cast<Surroundings*>(context)->trace) trace->push_back({operation, target_offset, patch_offset});
}

class MemorySink final : public TargetSink {
 public:
  // Up to this much is set aside at once; a larger target grows it.
  static constexpr std::uint64_t kReserveMax = std::uint64_t{1} << 28;

  explicit MemorySink(std::uint64_t bytes_expected) {
    bytes.reserve(static_cast<std::size_t>(std::min(bytes_expected, kReserveMax)));
  }
  Result<> write(ByteView piece) override {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    return {};
  }
  Result<> read(std::uint64_t offset, std::span<std::uint8_t> out) override {
    if (offset > bytes.size() || out.size() > bytes.size() - offset)
      return fail(Code::damaged, "the delta reads what is not written yet: fetch it again");
    std::memcpy(out.data(), bytes.data() + offset, out.size());
    return {};
  }

  Bytes bytes;
};

}  // namespace

Error error_of(Status status) {
  switch (status) {
    case Status::not_a_patch: return {Code::damaged, "the file is not a hone delta: fetch it again"};
    case Status::unknown_version: return {Code::damaged, "the delta was made by a newer hone: fetch the full file, or update"};
    case Status::bad_header: return {Code::damaged, "the delta's header breaks the format: fetch it again"};
    case Status::wrong_base: return {Code::wrong_base, "the base is not the file that the delta was made from: fetch the full file"};
    case Status::target_too_large: return {Code::no_space, "the delta's target is larger than allowed here: free space or raise the limit"};
    case Status::truncated: return {Code::damaged, "the delta ends too early: fetch it again"};
    case Status::damaged: return {Code::damaged, "the delta is damaged: fetch it again"};
    case Status::wrong_target: return {Code::damaged, "the rebuilt file's hash is wrong: fetch the delta again"};
    case Status::trailing_bytes: return {Code::damaged, "bytes follow the delta's end: fetch it again"};
    case Status::io_base: return {Code::unavailable, "the base cannot be read: try again"};
    case Status::io_target: return {Code::unavailable, "the target cannot be written: try again"};
    case Status::workspace_too_small: return {Code::invalid, "the decoder's workspace is too small for this delta's profile"};
    case Status::out_of_reach: return {Code::damaged, "the delta reads what it has overwritten by then: fetch the full file"};
    case Status::not_in_place: return {Code::invalid, "the delta was made for a new file: apply it with an output of its own"};
    case Status::foreign_journal:
      return {Code::invalid, "another delta was being applied to this file: end that one first, or replace the file and remove its journal"};
    case Status::io_journal: return {Code::unavailable, "the journal cannot be written or read: try again"};
    case Status::unsupported_profile: return {Code::invalid, "this decoder knows the small profile only: make the delta with --profile small"};
    case Status::bad_state: return {Code::damaged, "the saved state is damaged: begin again from the base"};
    case Status::ok:
    case Status::paused:
    case Status::done:
    case Status::misuse: break;
  }
  return {Code::invalid, "the delta decoder was called out of order"};
}

Result<> apply(ByteView base, ByteView patch, std::uint64_t target_bytes_max, TargetSink& target) {
  return traced_apply(base, patch, target_bytes_max, target, nullptr);
}
Result<Bytes> apply(ByteView base, ByteView patch, std::uint64_t target_bytes_max) {
  return traced_apply(base, patch, target_bytes_max, nullptr);
}

Result<Bytes> traced_apply(ByteView base, ByteView patch, std::uint64_t target_bytes_max,
                           std::vector<TracedOperation>* trace) {
  Header header;  // a damaged one is refused below
  (void)read_header(patch.data(), patch.size(), header);
  MemorySink target(std::min(header.target_bytes, target_bytes_max));
  HONE_CHECK(traced_apply(base, patch, target_bytes_max, target, trace));
  return std::move(target.bytes);
}

Result<> traced_apply(ByteView base, ByteView patch, std::uint64_t target_bytes_max, TargetSink& target,
                      std::vector<TracedOperation>* trace) {
  Header header;
  if (const Status read = read_header(patch.data(), patch.size(), header); read != Status::ok) return fail(error_of(read));
  if (header.block_log2 != 0 && std::memcmp(check_of(patch).bytes.data(), header.check, kCheckBytes) != 0)
    return fail(error_of(Status::damaged));
  const std::size_t workspace_bytes = Decoder::workspace_bytes(header.profile);
  const auto workspace = std::make_unique_for_overwrite<std::uint8_t[]>(workspace_bytes);
  Surroundings around{base, &target, Sha256Stream(), {}, trace};
  const Callbacks callbacks{&around, read_base, write_target, read_target, base_bytes, hash_begin, hash_add, hash_end,
                            trace != nullptr ? on_operation : nullptr};
  Decoder decoder;
  Status status = decoder.init(callbacks, workspace.get(), workspace_bytes, target_bytes_max);
  if (status == Status::ok) status = decoder.feed(patch.data(), patch.size());
  if (status == Status::ok) status = decoder.finish();
  if (!around.failure) return fail(around.failure.error());
  if (status != Status::done) return fail(error_of(status));
  return {};
}

}  // namespace hone::delta
