// Numbers as eight bits: the arithmetic of quantisation, apart from any graph.
//
// Weights take whole steps from -63 to 63 and not to 127: on x86 without VNNI the product of an unsigned and a signed byte is
// added up in pairs of 16 bits, which saturate (255 * 127 * 2 > 32767 >= 255 * 63 * 2). With seven bits no kernel of ONNX
// Runtime saturates, so that every CPU computes the same whole numbers.
//
// Scales are powers of two: a channel whose largest weight moves a little keeps its scale, and with it most of its steps.
// On MNIST that makes the delta between two exports 27% smaller than scales as exact as they can be, and costs no accuracy
// that 10,000 digits would show; a grid of four to the octave makes it no smaller at all (docs/trainers.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hone::trainer {

constexpr int kWeightStepMax = 63;
constexpr int kActivationSteps = 255;

// The smallest power of two that is not below `exact`; 1 for 0. `exact` is finite and not negative.
[[nodiscard]] float grid_scale(float exact);

struct Int8Weights {
  std::vector<std::int8_t> steps;  // value = steps * scales[channel]
  std::vector<float> scales;       // one a channel
};

// `values` is [channels, ...], row-major; `smallest[channel]` bounds the channel's scale from below (0: no bound).
[[nodiscard]] Int8Weights int8_weights(std::span<const float> values, std::span<const float> smallest);

// The scale that `bias` asks of its channel's weights at least, so that it fits 31 bits in steps of the product of both scales.
[[nodiscard]] float smallest_scale_for(float bias, float activation_scale);
[[nodiscard]] std::int32_t bias_steps(float bias, float product_of_scales);

// Unsigned bytes: value = scale * (byte - zero).
struct ActivationScale {
  float scale = 1;
  std::uint8_t zero = 0;
};
[[nodiscard]] ActivationScale activation_scale(float low, float high);  // widened to hold 0

}  // namespace hone::trainer
