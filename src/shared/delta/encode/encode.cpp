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
#include "shared/delta/encode/side_by_side.hpp"
#include "shared/delta/encode/tensor_choice.hpp"

namespace hone::delta {
namespace {

constexpr double kClearlyLess = 0.92;  // what an estimate must be beside a measured cost
constexpr std::uint64_t kEncodeBytesMax = std::uint64_t{1} << 31;  // base and target together

struct Effort {
  std::uint32_t depth;
  std::uint32_t nice_length;
  bool try_more;  // than the plan
};
// Small files get more: their time is short anyway, and what is promised of them is tight.
Effort effort_of(int level, std::uint64_t target_bytes) {
  if (level >= 5 && level < 8 && target_bytes < (512u << 10)) level = 8;
  if (level <= 2) return {8, 32, false};
  if (level <= 4) return {24, 64, false};
  if (level <= 6) return {64, 160, true};
  if (level <= 8) return {256, 273, true};
  return {1024, 511, true};
}

Header header_of(ByteView base, ByteView target, const EncodeOptions& options) {
  Header header;
  header.profile = options.profile;
  header.base_bytes = base.size();
  header.target_bytes = target.size();
  side_by_side(2, options.threads, [&](std::size_t piece) {
    const Sha256 hash = sha256(piece == 0 ? base : target);
    std::copy(hash.bytes.begin(), hash.bytes.end(), piece == 0 ? header.base_sha256 : header.target_sha256);
  });
  return header;
}

// One way to encode the whole target.
struct Alternative {
  std::vector<Segment> segments;
  std::uint32_t match_min = 3;
};
constexpr std::uint32_t kLongMatchMin = 24;
constexpr std::uint32_t kWordMatchMin = 8;

template <Profile kProfile>
class Writer {
 public:
  // `on_progress` hears fractions of the target.
  Writer(ByteView base, ByteView target, const EncodeOptions& options, const Reach& reach,
         std::function<void(double)> on_progress)
      : base_(base),
        target_(target),
        options_(options),
        reach_(reach),
        on_progress_(std::move(on_progress)),
        effort_(effort_of(options.effort, target.size())),
        state_(kProfile, base.size()),
        coder_(out_) {}

  Bytes write(const Alternative& alternative) {
    const auto& segments = alternative.segments;
    match_min_ = alternative.match_min;
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
      tell(segment.offset + operation.bytes);
    }
    coder_.finish();
    return std::move(out_);
  }

 private:
  void tell(std::uint64_t done) const { on_progress_(static_cast<double>(done) / static_cast<double>(target_.size())); }

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
      code_generic<kProfile>(coder_, state_, finder(), base_, target_, offset, operation.bytes,
                             {effort_.nice_length, match_min_, [&](std::uint64_t done) { tell(offset + done); }});
    } else if (operation.op == Op::stored) {
      for (const std::uint8_t byte : bytes) coder_.raw(byte, 8);
    }
  }

  ByteView base_;
  ByteView target_;
  const EncodeOptions& options_;
  const Reach reach_;
  const std::function<void(double)> on_progress_;
  const Effort effort_;
  std::uint32_t match_min_ = 3;
  EncoderState state_;
  Bytes out_;
  RangeEncoder coder_;
  std::unique_ptr<MatchFinder> finder_;
};

std::vector<Alternative> alternatives_of(ByteView target, const EncodeOptions& options, const std::vector<Segment>& segments) {
  constexpr std::uint64_t kQuickBytes = 4u << 20;  // what is encoded more than once without being asked to
  const std::uint64_t size = target.size();
  std::uint64_t as_tensors = 0;
  for (const Segment& segment : segments) as_tensors += segment.is_tensor ? segment.bytes : 0;
  std::vector<Alternative> alternatives{{segments}};
  if (!effort_of(options.effort, size).try_more) return alternatives;
  const std::vector<Segment> generic{{0, size, false, Type::count, false, 0, {}}};
  if (as_tensors > 0 && (size < kQuickBytes / 4 || options.effort >= 8)) alternatives.push_back({generic});
  // Where few symbols follow each other at random, their contexts say more than matches do.
  if (size >= 1024 && ((as_tensors * 2 < size && size < kQuickBytes) || options.effort >= 8)) {
    alternatives.push_back({segments, kLongMatchMin});
    if (size < kQuickBytes / 8 || options.effort >= 8) alternatives.push_back({segments, kWordMatchMin});
  }
  return alternatives;
}

template <Profile kProfile>
Bytes smallest_stream(ByteView base, ByteView target, const EncodeOptions& options, const std::vector<Segment>& segments,
                      const Reach& reach, const std::function<void(double)>& on_progress) {
  if (target.empty()) return {};
  const auto alternatives = alternatives_of(target, options, segments);
  std::vector<Bytes> streams(alternatives.size());
  Progress progress(on_progress, alternatives.size());
  side_by_side(alternatives.size(), options.threads, [&](std::size_t i) {
    streams[i] = Writer<kProfile>(base, target, options, reach, [&, i](double done) { progress.note(i, done); }).write(alternatives[i]);
  });
  Bytes& best = *std::min_element(streams.begin(), streams.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
  if (best.size() <= target.size()) return std::move(best);
  Bytes stored = Writer<kProfile>(base, target, options, reach, [](double) {}).write({{{0, target.size(), true, Type::count, false, 0, {}}}});
  return stored.size() < best.size() ? std::move(stored) : std::move(best);
}

std::vector<Segment> segments_of(ByteView base, ByteView target, unsigned threads) {
  // One operation; its generic match would be as short, but this one decodes without a search.
  if (base.size() == target.size() && std::equal(base.begin(), base.end(), target.begin()))
    return {{0, target.size(), false, Type::count, false, 0, {}}};
  return plan_segments(base, target, threads);
}

Bytes stream_of(ByteView base, ByteView target, const EncodeOptions& options, const std::vector<Segment>& segments,
                const Header& header, const std::function<void(double)>& on_progress) {
  const Reach reach = reach_of(header);
  return options.profile == Profile::small
             ? smallest_stream<Profile::small>(base, target, options, segments, reach, on_progress)
             : smallest_stream<Profile::standard>(base, target, options, segments, reach, on_progress);
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
  Header header = header_of(base, target, options);
  const auto segments = segments_of(base, target, options.threads);
  if (options.in_place) {
    const std::uint8_t usual = options.profile == Profile::small ? 16 : 20;
    header.block_log2 = options.block_log2 == 0 ? usual : options.block_log2;
    if (header.block_log2 < kBlockLog2Min || header.block_log2 > kBlockLog2Max)
      return fail(Code::invalid, "blocks of an in-place delta have 4 KiB to 1 MiB");
  }
  const auto shifts = options.in_place ? shifts_worth_trying(base, target, segments, header.block_log2) : std::vector<std::uint32_t>{};
  Progress progress(options.on_progress, 1 + shifts.size());
  Bytes stream = stream_of(base, target, options, segments, header, [&](double done) { progress.note(0, done); });
  for (std::size_t i = 0; i < shifts.size(); ++i) {
    Header shifted = header;
    shifted.shift_blocks = shifts[i];
    Bytes other = stream_of(base, target, options, segments, shifted, [&](double done) { progress.note(1 + i, done); });
    if (!is_worth(other, stream)) continue;
    stream = std::move(other);
    header = shifted;
  }
  Bytes patch = join(header, stream);
  if (options.on_progress) options.on_progress(1.0);
  return patch;
}

}  // namespace hone::delta
