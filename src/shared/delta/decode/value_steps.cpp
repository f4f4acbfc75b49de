// The decoder's steps of operations whose content are tensor elements.
#include "shared/delta/decode/decoder.hpp"
#include "shared/delta/decode/memory.hpp"
#include "shared/delta/format/inlining.hpp"
#include "shared/delta/format/intra.hpp"
#include "shared/delta/format/lattice.hpp"
#include "shared/delta/format/low_rank.hpp"
#include "shared/delta/format/residual.hpp"
#include "shared/delta/format/runs.hpp"

namespace hone::delta {
namespace {

constexpr size_t kRunPiece = 256;  // elements

// Decodes runs, and what `change` makes of the elements between them, over `count` elements that the
// caller copied from the base: in pieces, so that short runs cost nothing. `left` are the operation's.
// Hands back how many elements are done, or more: damaged.
template <Profile kProfile, class Change>
HONE_DELTA_INLINE size_t decode_runs(RangeDecoder& coder, Counter* counters, ValueMemory& memory, const uint8_t* limit,
                                     uint64_t left, size_t count, Change&& change) {
  size_t i = 0;
  while (i < count && (memory.run > 1 || coder.next <= limit)) {
    if (memory.run == 0) {
      uint64_t run = 0;
      if (!code_run<kProfile>(coder, counters, memory, left - i, run)) return ~size_t{0};
      memory.run = run + 1;
    } else if (memory.run > 1) {
      const size_t step = memory.run - 1 < count - i ? static_cast<size_t>(memory.run - 1) : count - i;
      i += step;
      memory.run -= step;
    } else {
      if (!change(i)) return ~size_t{0};
      memory.run = 0;
      ++i;
    }
  }
  return i;
}

}  // namespace

template <Profile kProfile>
void Decoder::step_values(const uint8_t* limit) {
  if (operation_.type == Type::count) return fail(Status::damaged);
  if constexpr (kSmallOnly) {
    run_values<kProfile>(AnyElement(operation_.type), limit);
  } else {
    step_values_of_type<kProfile>(limit);
  }
}

template <Profile kProfile>
void Decoder::step_values_of_type(const uint8_t* limit) {
  switch (operation_.type) {
    case Type::f32: return run_values<kProfile>(Element<Type::f32>{}, limit);
    case Type::f16: return run_values<kProfile>(Element<Type::f16>{}, limit);
    case Type::bf16: return run_values<kProfile>(Element<Type::bf16>{}, limit);
    case Type::f64: return run_values<kProfile>(Element<Type::f64>{}, limit);
    case Type::i8: return run_values<kProfile>(Element<Type::i8>{}, limit);
    case Type::u8: return run_values<kProfile>(Element<Type::u8>{}, limit);
    case Type::i16: return run_values<kProfile>(Element<Type::i16>{}, limit);
    case Type::i32: return run_values<kProfile>(Element<Type::i32>{}, limit);
    case Type::count: return;
  }
}

// How many elements there is room for, the last one possibly running into the slack; with a base, those
// of it that stand at `from`. 0: not now.
size_t Decoder::elements_at_hand(uint32_t width_log2, const uint8_t*& from) {
  if (!has_room()) return 0;
  const size_t width = size_t{1} << width_log2;
  size_t count = (out_limit_ - out_used_ + width - 1) >> width_log2;
  if (count > left_ >> width_log2) count = static_cast<size_t>(left_ >> width_log2);
  if (!has_base(operation_.op)) return count;
  size_t have = 0;
  from = base_window(operation_.base_offset + (operation_.bytes - left_), width, have);
  if (from == nullptr) return 0;
  return count < have >> width_log2 ? count : have >> width_log2;
}

template <Profile kProfile, class E>
void Decoder::run_values(const E& e, const uint8_t* limit) {
  const uint32_t width = e.width;
  const uint32_t width_log2 = e.width_log2;
  while (left_ > 0 && coder_.next <= limit && coder_.bad == 0) {
    const uint8_t* from = nullptr;
    size_t count = elements_at_hand(width_log2, from);
    if (count == 0) return;
    // Copies whose address does not escape stay in registers.
    RangeDecoder coder = coder_;
    ValueMemory memory = values_;
    Counter* const counters = counters_;
    const ResidualTraits traits{operation_.top_exponent, operation_.by_mantissa, operation_.zero_bits};
    uint8_t* to = out_ + out_used_;
    size_t done = 0;
    if (operation_.op == Op::intra) {
      for (; done < count && coder.next <= limit; ++done, to += width)
        e.store(to, code_intra<kProfile>(e, coder, counters, memory, traits.top_exponent, traits.zero_bits, 0));
    } else if (operation_.by_runs) {
      if (count > kRunPiece) count = kRunPiece;
      memcpy(to, from, count * width);
      done = decode_runs<kProfile>(coder, counters, memory, limit, left_ >> width_log2, count, [&](size_t i) HONE_DELTA_INLINE_LAMBDA {
        uint8_t* const at = to + i * width;
        e.store(at, code_change<kProfile>(e, coder, counters, memory, traits, e.load(at), 0));
        return true;
      });
      if (done > count) return fail(Status::damaged);
    } else {
      for (; done < count && coder.next <= limit; ++done, from += width, to += width)
        e.store(to, code_residual<kProfile>(e, coder, counters, memory, traits, e.load(from), 0));
    }
    coder_ = coder;
    values_ = memory;
    out_used_ += done * width;
    left_ -= done * width;
  }
  if (left_ == 0) end_operation();
}

template <Profile kProfile>
void Decoder::step_lattice(const uint8_t* limit) {
  constexpr uint32_t width_log2 = 2;
  constexpr uint32_t width = 1u << width_log2;
  while (left_ > 0 && coder_.next <= limit && coder_.bad == 0) {
    const uint8_t* from = nullptr;
    size_t count = elements_at_hand(width_log2, from);
    if (count == 0) return;
    RangeDecoder coder = coder_;
    ValueMemory memory = values_;
    uint8_t* to = out_ + out_used_;
    size_t done = 0;
    const auto move = [&](uint8_t* at, const uint8_t* base, int64_t k) HONE_DELTA_INLINE_LAMBDA {
      uint32_t target = 0;
      if (!move_by_steps(static_cast<uint32_t>(load_element<width>(base)), k, operation_.scale, target)) return false;
      store_element<width>(at, target);
      return true;
    };
    if (operation_.by_runs) {
      if (count > kRunPiece) count = kRunPiece;
      memcpy(to, from, count * width);
      done = decode_runs<kProfile>(coder, counters_, memory, limit, left_ >> width_log2, count, [&](size_t i) HONE_DELTA_INLINE_LAMBDA {
        return move(to + i * width, to + i * width, code_steps<kProfile>(coder, counters_, memory, 0));
      });
      if (done > count) return fail(Status::damaged);
    } else {
      for (; done < count && coder.next <= limit; ++done, from += width, to += width)
        if (!move(to, from, code_flag_and_steps<kProfile>(coder, counters_, memory, 0))) return fail(Status::damaged);
    }
    coder_ = coder;
    values_ = memory;
    out_used_ += done * width;
    left_ -= done * width;
  }
  if (left_ == 0) end_operation();
}

// The operation's factors up to the `until`th. False: not yet all of them.
template <Profile kProfile>
bool Decoder::read_factors(const uint8_t* limit, uint32_t until) {
  const LowRank& shape = operation_.low_rank;
  const uint32_t of_v = shape.rank * shape.columns;
  auto* factors = reinterpret_cast<uint8_t*>(counters_ + kFactorsAt<kProfile>);
  for (; factors_known_ < until; ++factors_known_) {
    if (coder_.next > limit) return false;
    const bool is_u = factors_known_ >= of_v;
    int32_t factor = 0;
    if (!code_factor<kProfile>(coder_, counters_, shape, is_u ? 1 : 0,
                               is_u ? factors_known_ - of_v : factors_known_ / shape.columns, factor)) {
      fail(Status::damaged);
      return false;
    }
    store_factor(factors, factors_known_, shape.wide, factor);
  }
  return true;
}

template <Profile kProfile>
void Decoder::step_low_rank(const uint8_t* limit) {
  constexpr uint32_t width_log2 = 2;
  constexpr uint32_t width = 1u << width_log2;
  const LowRank& shape = operation_.low_rank;
  const uint32_t of_v = shape.rank * shape.columns;
  const auto* factors = reinterpret_cast<const uint8_t*>(counters_ + kFactorsAt<kProfile>);
  while (left_ > 0 && coder_.bad == 0) {
    if (!read_factors<kProfile>(limit, of_v + shape.rank)) return;
    uint32_t column = remainder_of((operation_.bytes - left_) >> width_log2, shape.columns);
    const uint8_t* from = nullptr;
    size_t count = elements_at_hand(width_log2, from);
    if (count == 0) return;
    if (count > shape.columns - column) count = shape.columns - column;
    RangeDecoder coder = coder_;
    ValueMemory memory = values_;
    uint8_t* to = out_ + out_used_;
    size_t done = 0;
    for (; done < count; ++done, ++column, from += width, to += width) {
      int64_t k = product(factors, shape, column);
      if (shape.corrected) {
        if (coder.next > limit) break;
        if (!operation_.by_runs) {
          k += code_flag_and_steps<kProfile>(coder, counters_, memory, 0);
        } else {
          if (memory.run == 0) {
            uint64_t run = 0;
            if (!code_run<kProfile>(coder, counters_, memory, (left_ >> width_log2) - done, run)) return fail(Status::damaged);
            memory.run = run + 1;
            if (coder.next > limit) break;
          }
          if (memory.run == 1) k += code_steps<kProfile>(coder, counters_, memory, 0);
          --memory.run;
        }
      }
      uint32_t target = 0;
      if (!move_by_steps(static_cast<uint32_t>(load_element<width>(from)), k, operation_.scale, target))
        return fail(Status::damaged);
      store_element<width>(to, target);
    }
    if (column == shape.columns) factors_known_ = of_v;  // the next row has its own
    coder_ = coder;
    values_ = memory;
    out_used_ += done * width;
    left_ -= done * width;
    if (done < count) return;
  }
  if (left_ > 0) return;
  // The counters whose place the factors took start anew.
  for (size_t i = 0; i < dimensions(kProfile).factor_bytes / sizeof(Counter); ++i)
    counters_[kFactorsAt<kProfile> + i] = kEvenCounter;
  end_operation();
}

template void Decoder::step_values<Profile::small>(const uint8_t*);
template void Decoder::step_lattice<Profile::small>(const uint8_t*);
template void Decoder::step_low_rank<Profile::small>(const uint8_t*);
#ifndef HONE_DELTA_SMALL_ONLY
template void Decoder::step_values<Profile::standard>(const uint8_t*);
template void Decoder::step_lattice<Profile::standard>(const uint8_t*);
template void Decoder::step_low_rank<Profile::standard>(const uint8_t*);
#endif

}  // namespace hone::delta
