// Codes whole tensors with the value models.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "shared/delta/encode/encoder_state.hpp"
#include "shared/delta/format/intra.hpp"
#include "shared/delta/format/lattice.hpp"
#include "shared/delta/format/residual.hpp"
#include "shared/delta/format/operations.hpp"
#include "shared/delta/format/runs.hpp"

namespace hone::delta {

// Calls f with the element type as a compile-time constant.
template <class F>
auto with_type(Type type, F&& f) {
  switch (type) {
    case Type::f16: return f(std::integral_constant<Type, Type::f16>{});
    case Type::bf16: return f(std::integral_constant<Type, Type::bf16>{});
    case Type::f64: return f(std::integral_constant<Type, Type::f64>{});
    case Type::i8: return f(std::integral_constant<Type, Type::i8>{});
    case Type::u8: return f(std::integral_constant<Type, Type::u8>{});
    case Type::i16: return f(std::integral_constant<Type, Type::i16>{});
    case Type::i32: return f(std::integral_constant<Type, Type::i32>{});
    case Type::f32:
    case Type::count: break;
  }
  return f(std::integral_constant<Type, Type::f32>{});
}

// The largest exponent of finite values, but for a share of `outliers` that may lie above it.
[[nodiscard]] inline std::uint32_t top_exponent(Type type, ByteView values, double outliers = 0) {
  return with_type(type, [&](auto constant) -> std::uint32_t {
    using E = Element<decltype(constant)::value>;
    if constexpr (E::exponent_bits == 0) return 0;
    std::vector<std::uint32_t> counts(std::size_t{1} << E::exponent_bits, 0);
    for (std::size_t i = 0; i + E::width <= values.size(); i += E::width) ++counts[E{}.exponent(load_element<E::width>(&values[i]))];
    counts.back() = 0;  // infinities
    const auto allowed = static_cast<std::uint64_t>(outliers * static_cast<double>(values.size() / E::width));
    std::uint64_t above = 0;
    std::size_t top = counts.size() - 1;
    while (top > 0 && (above += counts[top]) <= allowed) --top;
    return static_cast<std::uint32_t>(top);
  });
}

// The low bits that are zero in every value, as many as an operation can say.
[[nodiscard]] inline std::uint32_t zero_bits(Type type, ByteView values) {
  return with_type(type, [&](auto constant) -> std::uint32_t {
    using E = Element<decltype(constant)::value>;
    std::uint64_t any = std::uint64_t{1} << zero_bits_max(E::info);
    for (std::size_t i = 0; i + E::width <= values.size(); i += E::width) any |= load_element<E::width>(&values[i]);
    return static_cast<std::uint32_t>(std::countr_zero(any));
  });
}

// Whether code_intra can express every value: exponents lie at most 255 below the top, or it is zero.
[[nodiscard]] inline bool fits_intra(Type type, ByteView values, std::uint32_t top) {
  return with_type(type, [&](auto constant) {
    using E = Element<decltype(constant)::value>;
    if constexpr (E::exponent_bits == 0) return true;
    for (std::size_t i = 0; i + E::width <= values.size(); i += E::width) {
      const std::uint64_t value = load_element<E::width>(&values[i]);
      const std::uint32_t below = (top - E{}.exponent(value)) & ((1u << E::exponent_bits) - 1);
      if (value != 0 && below > 255) return false;
    }
    return true;
  });
}

// Codes the elements of a residual or intra operation, whose head was coded. `base` is empty for intra.
template <Profile kProfile, class Coder>
void code_values(Coder& coder, EncoderState& state, const Operation& operation, ByteView base, ByteView target) {
  with_type(operation.type, [&](auto constant) {
    constexpr Type kType = decltype(constant)::value;
    constexpr std::uint32_t width = Element<kType>::width;
    Counter* counters = state.counters.data();
    ValueMemory memory = state.values;
    const ResidualTraits traits{operation.top_exponent, operation.by_mantissa, operation.zero_bits};
    const std::size_t elements = target.size() / width;
    const auto at = [](ByteView bytes, std::size_t i) { return load_element<width>(&bytes[i * width]); };
    if (operation.op == Op::intra) {
      for (std::size_t i = 0; i < elements; ++i)
        code_intra<kProfile>(Element<kType>{}, coder, counters, memory, traits.top_exponent, traits.zero_bits, at(target, i));
    } else if (operation.by_runs) {
      for (std::size_t i = 0; i < elements; ++i) {
        std::size_t next = i;
        while (next < elements && at(base, next) == at(target, next)) ++next;
        std::uint64_t run = next - i;
        code_run<kProfile>(coder, counters, memory, elements - i, run);
        i = next;
        if (i < elements) code_change<kProfile>(Element<kType>{}, coder, counters, memory, traits, at(base, i), at(target, i));
      }
    } else {
      for (std::size_t i = 0; i < elements; ++i)
        code_residual<kProfile>(Element<kType>{}, coder, counters, memory, traits, at(base, i), at(target, i));
    }
    state.values = memory;
  });
}

// Codes k's, or what corrects a prediction of them, one after the other.
template <Profile kProfile, class Coder>
class StepsCoder {
 public:
  StepsCoder(Coder& coder, EncoderState& state, const std::vector<std::int64_t>& steps, bool by_runs)
      : coder_(coder), state_(state), steps_(steps), by_runs_(by_runs) {}

  void code(std::size_t i) {
    Counter* counters = state_.counters.data();
    ValueMemory& memory = state_.values;
    if (!by_runs_) {
      (void)code_flag_and_steps<kProfile>(coder_, counters, memory, steps_[i]);
      return;
    }
    if (run_ == 0) {
      std::size_t next = i;
      while (next < steps_.size() && steps_[next] == 0) ++next;
      std::uint64_t run = next - i;
      (void)code_run<kProfile>(coder_, counters, memory, steps_.size() - i, run);
      run_ = run + 1;
    }
    if (--run_ == 0) (void)code_steps<kProfile>(coder_, counters, memory, steps_[i]);
  }

 private:
  Coder& coder_;
  EncoderState& state_;
  const std::vector<std::int64_t>& steps_;
  const bool by_runs_;
  std::uint64_t run_ = 0;  // as ValueMemory::run
};

}  // namespace hone::delta
