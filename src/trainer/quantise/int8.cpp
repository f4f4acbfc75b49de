#include "trainer/quantise/int8.hpp"

#include <algorithm>
#include <cmath>

namespace hone::trainer {
namespace {

constexpr float kBiasStepsMax = 0x1p30F;

float largest(std::span<const float> values) {
  float most = 0;
  for (const float value : values) most = std::max(most, std::abs(value));
  return most;
}

}  // namespace

float grid_scale(float exact) {
  if (!(exact > 0)) return 1;
  int exponent = 0;
  const float mantissa = std::frexp(exact, &exponent);  // 0.5 <= mantissa < 1
  return mantissa == 0.5F ? exact : std::ldexp(1.F, exponent);
}

Int8Weights int8_weights(std::span<const float> values, std::span<const float> smallest) {
  const std::size_t channels = smallest.size();
  const std::size_t each = values.size() / channels;
  Int8Weights out;
  out.steps.reserve(values.size());
  for (std::size_t c = 0; c < channels; ++c) {
    const std::span<const float> channel = values.subspan(c * each, each);
    const float scale = grid_scale(std::max(largest(channel) / static_cast<float>(kWeightStepMax), smallest[c]));
    out.scales.push_back(scale);
    for (const float value : channel) {
      const float steps = std::nearbyint(value / scale);
      out.steps.push_back(static_cast<std::int8_t>(
          std::clamp(steps, -static_cast<float>(kWeightStepMax), static_cast<float>(kWeightStepMax))));
    }
  }
  return out;
}

float smallest_scale_for(float bias, float activation_scale) {
  return std::abs(bias) / (activation_scale * kBiasStepsMax);
}

std::int32_t bias_steps(float bias, float product_of_scales) {
  return static_cast<std::int32_t>(std::nearbyint(static_cast<double>(bias) / static_cast<double>(product_of_scales)));
}

ActivationScale activation_scale(float low, float high) {
  low = std::min(low, 0.F);
  high = std::max(high, 0.F);
  ActivationScale out;
  if (!(high > low)) return out;
  out.scale = grid_scale((high - low) / static_cast<float>(kActivationSteps));
  out.zero = static_cast<std::uint8_t>(std::clamp(std::nearbyint(-low / out.scale), 0.F, 255.F));
  return out;
}

}  // namespace hone::trainer
