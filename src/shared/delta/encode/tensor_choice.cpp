#include "shared/delta/encode/tensor_choice.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "shared/delta/encode/range_encoder.hpp"
#include "shared/delta/encode/value_coder.hpp"
#include "shared/delta/format/low_rank.hpp"

namespace hone::delta {
namespace {

constexpr std::uint64_t kSampleBytes = 128 * 1024;
constexpr double kOutliers = 1.0 / 1024;  // of a tensor, whose size its magnitude classes need not tell

std::uint64_t changes(ByteView base, ByteView target, std::uint64_t width) {
  std::uint64_t count = 0;
  for (std::uint64_t i = 0; i < target.size(); i += width) count += std::memcmp(&base[i], &target[i], width) != 0;
  return count;
}

template <Profile kProfile, class Coder>
void code_low_rank(Coder& coder, EncoderState& state, const Coding& coding, std::size_t elements) {
  const LowRank& shape = coding.operation.low_rank;
  const LowRankHint& hint = *coding.hint;
  Counter* counters = state.counters.data();
  const auto factor = [&](std::uint32_t is_u, std::uint32_t r, std::int32_t value) {
    (void)code_factor<kProfile>(coder, counters, shape, is_u, r, value);
  };
  for (std::size_t i = 0; i < hint.v.size(); ++i) factor(0, static_cast<std::uint32_t>(i / shape.columns), hint.v[i]);
  StepsCoder<kProfile, Coder> steps(coder, state, coding.lattice.steps, coding.operation.by_runs);
  for (std::size_t i = 0; i < elements; ++i) {
    if (i % shape.columns == 0)
      for (std::uint32_t r = 0; r < shape.rank; ++r) factor(1, r, hint.u[i / shape.columns * shape.rank + r]);
    if (shape.corrected) steps.code(i);
  }
  std::fill_n(state.counters.begin() + kFactorsAt<kProfile>, dimensions(kProfile).factor_bytes / sizeof(Counter), kEvenCounter);
}

}  // namespace

template <Profile kProfile, class Coder>
void code_content(Coder& coder, EncoderState& state, const Coding& coding, ByteView base, ByteView target) {
  const Operation& operation = coding.operation;
  start_values(state.values, state.values_type, operation);
  if (operation.op == Op::low_rank) {
    code_low_rank<kProfile>(coder, state, coding, target.size() / 4);
  } else if (operation.op == Op::lattice) {
    StepsCoder<kProfile, Coder> steps(coder, state, coding.lattice.steps, operation.by_runs);
    for (std::size_t i = 0; i < target.size() / 4; ++i) steps.code(i);
  } else {
    code_values<kProfile>(coder, state, operation, base, target);
  }
}

Sample sample_of(const Segment& segment) {
  const std::uint64_t width = info_of(segment.type).width;
  const std::uint64_t bytes = std::min(segment.bytes, kSampleBytes / width * width);
  return {(segment.bytes - bytes) / 2 / width * width, bytes};
}

template <Profile kProfile>
TensorChoice choose_coding(const EncoderState& state, const Segment& segment, ByteView base, ByteView target,
                           const LowRankHint* hint) {
  if (segment.type == Type::count) return {{{Op::stored, Type::count, segment.bytes}}, 8};
  const Sample sample = sample_of(segment);
  TensorChoice best{{{Op::stored, Type::count, segment.bytes}}, 8};
  const auto try_on = [&](Coding&& coding, std::uint64_t from, std::uint64_t bytes) {
    CostCoder cost;
    EncoderState scratch = state;
    const bool has_base = coding.operation.op != Op::intra;
    code_content<kProfile>(cost, scratch, coding, has_base ? base.subspan(from, bytes) : ByteView{}, target.subspan(from, bytes));
    const double bits = static_cast<double>(cost.cost()) / 256.0 / static_cast<double>(bytes);
    if (bits < best.bits_per_byte) best = {std::move(coding), bits};
  };
  const auto consider = [&](Operation operation) { try_on({operation}, sample.start, sample.bytes); };

  if (segment.has_base) {
    Operation residual{Op::residual, segment.type, segment.bytes, segment.base_offset, top_exponent(segment.type, base, kOutliers)};
    residual.zero_bits = std::min(zero_bits(segment.type, base), zero_bits(segment.type, target));
    // Where the two are as good as equal, the one that decodes faster.
    const std::uint64_t width = info_of(segment.type).width;
    const bool mostly_unchanged =
        changes(base.subspan(sample.start, sample.bytes), target.subspan(sample.start, sample.bytes), width) * 2 * width < sample.bytes;
    residual.by_runs = !mostly_unchanged;
    consider(residual);
    if (best.coding.operation.op == Op::residual) best.bits_per_byte *= 257.0 / 256;
    residual.by_runs = mostly_unchanged;
    consider(residual);
    if (kProfile == Profile::standard && info_of(segment.type).exponent_bits != 0) {
      residual.by_mantissa = true;
      residual.by_runs = best.coding.operation.by_runs;
      consider(residual);
    }
  }
  if (const std::uint32_t top = top_exponent(segment.type, target); fits_intra(segment.type, target, top))
    consider({Op::intra, segment.type, segment.bytes, 0, top, false, zero_bits(segment.type, target)});
  if (!segment.has_base || segment.type != Type::f32) return best;

  Coding on_lattice{{Op::lattice, Type::f32, segment.bytes, segment.base_offset}};
  if (auto found = find_lattice(base, target)) {
    on_lattice.operation.scale = found->scale;
    on_lattice.lattice = std::move(*found);
    for (const bool by_runs : {true, false}) {
      on_lattice.operation.by_runs = by_runs;
      try_on(Coding(on_lattice), 0, segment.bytes);
    }
  }
  if (hint == nullptr) return best;
  if (auto found = correct_low_rank(base, target, *hint)) {
    Operation& operation = on_lattice.operation;
    operation.op = Op::low_rank;
    operation.scale = hint->scale;
    const auto is_wide = [](std::int16_t factor) { return factor < -128 || factor > 127; };
    operation.low_rank = {hint->rank, hint->shift, hint->columns,
                          std::any_of(hint->u.begin(), hint->u.end(), is_wide) || std::any_of(hint->v.begin(), hint->v.end(), is_wide),
                          std::any_of(found->steps.begin(), found->steps.end(), [](auto k) { return k != 0; })};
    on_lattice.lattice = std::move(*found);
    on_lattice.hint = hint;
    if (!is_sound(operation.low_rank, kProfile, segment.bytes / 4)) return best;
    for (const bool by_runs : {true, false}) {
      operation.by_runs = by_runs && operation.low_rank.corrected;
      try_on(Coding(on_lattice), 0, segment.bytes);
    }
  }
  return best;
}

template TensorChoice choose_coding<Profile::small>(const EncoderState&, const Segment&, ByteView, ByteView, const LowRankHint*);
template TensorChoice choose_coding<Profile::standard>(const EncoderState&, const Segment&, ByteView, ByteView, const LowRankHint*);
template void code_content<Profile::small>(RangeEncoder&, EncoderState&, const Coding&, ByteView, ByteView);
template void code_content<Profile::standard>(RangeEncoder&, EncoderState&, const Coding&, ByteView, ByteView);

}  // namespace hone::delta
