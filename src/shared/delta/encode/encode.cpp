#include "shared/delta/encode/encode.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "shared/delta/check.hpp"
#include "shared/delta/encode/generic_parser.hpp"
#include "shared/delta/encode/plan.hpp"
#include "shared/delta/encode/range_encoder.hpp"
#include "shared/delta/encode/readings.hpp"
#include "shared/delta/encode/shift.hpp"
#include "shared/delta/encode/tensor_choice.hpp"

namespace hone::delta {
namespace {

constexpr double kClearlyLess = 0.92;  // what an estimate must be beside a measured cost
constexpr std::uint64_t kEncodeBytesMax = std::uint64_t{1} << 31;  // base and target together

struct Effort {
  std::uint32_t depth;
  std::uint32_t nice_length;
  bool try_all_generic;
};
Effort effort_of(int level) {
  if (level <= 2) return {8, 32, false};
  if (level <= 4) return {24, 64, false};
  if (level <= 6) return {64, 160, true};
  if (level <= 8) return {256, 273, true};
  return {1024, 511, true};
}

Header header_of(ByteView base, ByteView target, Profile profile) {
  Header header;
  header.profile = profile;
  header.base_bytes = base.size();
  header.target_bytes = target.size();
  const Sha256 base_hash = sha256(base);
  const Sha256 target_hash = sha256(target);
  std::copy(base_hash.bytes.begin(), base_hash.bytes.end(), header.base_sha256);
  std::copy(target_hash.bytes.begin(), target_hash.bytes.end(), header.target_sha256);
  return header;
}

template <Profile kProfile>
class Writer {
 public:
  Writer(ByteView base, ByteView target, const EncodeOptions& options, const Reach& reach)
      : base_(base),
        target_(target),
        options_(options),
        reach_(reach),
        effort_(effort_of(options.effort)),
        state_(kProfile, base.size()),
        coder_(out_) {}

  Bytes write(const std::vector<Segment>& segments) {
    for (std::size_t i = 0; i < segments.size(); ++i) {
      const Segment& segment = segments[i];
      Coding coding{{Op::generic, Type::count, segment.bytes}};
      if (segment.is_tensor) coding = choose(segment);
      Operation& operation = coding.operation;
      if (operation.op == Op::generic) {
        // Join what follows, as far as it is generic too.
        while (i + 1 < segments.size() && !segments[i + 1].is_tensor) operation.bytes += segments[++i].bytes;
      }
      put(coding, segment.offset);
      if (options_.on_progress)
        options_.on_progress(static_cast<double>(segment.offset + operation.bytes) / static_cast<double>(target_.size()));
    }
    coder_.finish();
    return std::move(out_);
  }

 private:
  // The cheapest way for a tensor.
  Coding choose(Segment segment) {
    if (segment.has_base && !reach_.reaches(segment.base_offset, segment.offset, segment.bytes)) segment.has_base = false;
    const ByteView target = target_.subspan(segment.offset, segment.bytes);
    const ByteView base = segment.has_base ? base_.subspan(segment.base_offset, segment.bytes) : ByteView{};
    const auto hint = std::find_if(options_.hints.begin(), options_.hints.end(),
                                   [&](const auto& h) { return !segment.name.empty() && h.tensor == segment.name; });
    TensorChoice choice = choose_coding<kProfile>(state_, segment, base, target, hint == options_.hints.end() ? nullptr : &*hint);
    if (segment.type == Type::count) return std::move(choice.coding);
    const Sample sample = sample_of(segment);
    const auto of_sample = [&](ByteView bytes) { return bytes.empty() ? bytes : bytes.subspan(sample.start, sample.bytes); };
    const auto generic = [&](int zstd_level) {
      return generic_bits(of_sample(base), of_sample(target), zstd_level) / static_cast<double>(sample.bytes);
    };
    const bool is_close = generic(kQuickLevel) < 2 * choice.bits_per_byte;
    if ((is_close && generic(kCloseLevel) < kClearlyLess * choice.bits_per_byte) || (choice.bits_per_byte > 2 && stands_elsewhere(segment)))
      return {{Op::generic, Type::count, segment.bytes}};
    return std::move(choice.coding);
  }

  // Whether most of a tensor stands, byte for byte, in the base or earlier in the target.
  bool stands_elsewhere(const Segment& segment) {
    constexpr std::uint32_t kProbes = 16;
    constexpr std::uint32_t kProbeBytes = 32;
    if (segment.bytes < kProbeBytes) return false;
    std::uint32_t hits = 0;
    for (std::uint32_t i = 0; i < kProbes; ++i)
      hits += finder().knows(segment.offset + (segment.bytes - kProbeBytes) * i / kProbes, kProbeBytes);
    return hits * 2 > kProbes;
  }

  MatchFinder& finder() {
    if (!finder_) finder_ = std::make_unique<MatchFinder>(base_, target_, MatchFinder::Limits{effort_.depth, effort_.nice_length}, reach_);
    return *finder_;
  }

  void put(Coding& coding, std::uint64_t offset) {
    Operation& operation = coding.operation;
    code_operation<kProfile>(coder_, state_.counters.data(), state_.heads, base_.size(), target_.size() - offset, operation);
    if (has_base(operation.op)) note_alignment(state_.generic, base_.size() + offset - operation.base_offset);
    if (operation.op != Op::generic) {
      state_.generic.before = 0;
      if (finder_) finder_->pass_tensor(offset + operation.bytes);
    }
    const ByteView bytes = target_.subspan(offset, operation.bytes);
    if (has_values(operation.op)) {
      const ByteView base = has_base(operation.op) ? base_.subspan(operation.base_offset, operation.bytes) : ByteView{};
      code_content<kProfile>(coder_, state_, coding, base, bytes);
    } else if (operation.op == Op::generic) {
      code_generic<kProfile>(coder_, state_, finder(), base_, target_, offset, operation.bytes, {effort_.nice_length});
    } else if (operation.op == Op::stored) {
      for (const std::uint8_t byte : bytes) coder_.raw(byte, 8);
    }
  }

  ByteView base_;
  ByteView target_;
  const EncodeOptions& options_;
  const Reach reach_;
  const Effort effort_;
  EncoderState state_;
  Bytes out_;
  RangeEncoder coder_;
  std::unique_ptr<MatchFinder> finder_;
};

template <Profile kProfile>
Bytes smallest_stream(ByteView base, ByteView target, const EncodeOptions& options, const std::vector<Segment>& segments,
                      const Reach& reach) {
  const std::uint64_t size = target.size();
  if (size == 0) return {};
  const auto write = [&](const std::vector<Segment>& parts) {
    return Writer<kProfile>(base, target, options, reach).write(parts);
  };
  Bytes best = write(segments);
  const auto consider = [&](const std::vector<Segment>& other) {
    Bytes bytes = write(other);
    if (bytes.size() < best.size()) best = std::move(bytes);
  };
  const bool has_tensors = std::any_of(segments.begin(), segments.end(), [](const auto& s) { return s.is_tensor; });
  if (has_tensors && effort_of(options.effort).try_all_generic && (size < (1u << 20) || options.effort >= 8))
    consider({{0, size, false, Type::count, false, 0, {}}});
  if (best.size() > size) consider({{0, size, true, Type::count, false, 0, {}}});  // stored
  return best;
}

std::vector<Segment> segments_of(ByteView base, ByteView target) {
  // One operation; its generic match would be as short, but this one decodes without a search.
  if (base.size() == target.size() && std::equal(base.begin(), base.end(), target.begin()))
    return {{0, target.size(), false, Type::count, false, 0, {}}};
  return plan_segments(base, target);
}

Bytes stream_of(ByteView base, ByteView target, const EncodeOptions& options, const std::vector<Segment>& segments,
                const Header& header) {
  const Reach reach = reach_of(header);
  return options.profile == Profile::small ? smallest_stream<Profile::small>(base, target, options, segments, reach)
                                           : smallest_stream<Profile::standard>(base, target, options, segments, reach);
}

Bytes join(Header header, ByteView stream) {
  Bytes patch(header.bytes());
  write_header(header, patch.data());
  patch.insert(patch.end(), stream.begin(), stream.end());
  if (header.block_log2 != 0) {
    const Sha256 check = check_of(patch);
    std::copy_n(check.bytes.begin(), kCheckBytes, patch.begin() + kCheckOffset);
  }
  return patch;
}

// A move of the whole base wears the flash and takes time: a larger shift must be worth it.
bool is_worth(const Bytes& larger_shift, const Bytes& smaller_shift) {
  return larger_shift.size() + larger_shift.size() / 64 + 64 < smaller_shift.size();
}

}  // namespace

Result<Bytes> encode(ByteView base, ByteView target, const EncodeOptions& options) {
  if (base.size() + target.size() > kEncodeBytesMax)
    return fail(Code::invalid, "base and target together are larger than 2 GiB: publish the full file instead of a delta");
  if (options.effort < 1 || options.effort > 9) return fail(Code::invalid, "effort must be 1 to 9");
  Header header = header_of(base, target, options.profile);
  const auto segments = segments_of(base, target);
  if (options.in_place) {
    const std::uint8_t usual = options.profile == Profile::small ? 16 : 20;
    header.block_log2 = options.block_log2 == 0 ? usual : options.block_log2;
    if (header.block_log2 < kBlockLog2Min || header.block_log2 > kBlockLog2Max)
      return fail(Code::invalid, "blocks of an in-place delta have 4 KiB to 1 MiB");
  }
  Bytes stream = stream_of(base, target, options, segments, header);
  if (options.in_place) {
    for (const std::uint32_t shift : shifts_worth_trying(base, target, segments, header.block_log2)) {
      Header shifted = header;
      shifted.shift_blocks = shift;
      Bytes other = stream_of(base, target, options, segments, shifted);
      if (!is_worth(other, stream)) continue;
      stream = std::move(other);
      header = shifted;
    }
  }
  Bytes patch = join(header, stream);
  if (options.on_progress) options.on_progress(1.0);
  return patch;
}

}  // namespace hone::delta
