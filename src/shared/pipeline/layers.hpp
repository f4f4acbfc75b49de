// The layers of `train.layers`: their text, and the shapes that flow through them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "shared/pipeline/pipeline.hpp"
#include "shared/wire/signal.hpp"

namespace hone {

// "conv 16 3x3", "maxpool 2", "relu", "dense 128", "dropout 0.2". The error says what is known.
[[nodiscard]] Result<Layer> parse_layer(std::string_view text);
[[nodiscard]] std::string to_text(const Layer& layer);  // the canonical text

// What the last layer has an output for: each label, or each element of the sample (autoencoder).
enum class LastLayer : std::uint8_t { labels, elements };

// The shape of one sample after each layer: [channels, height, width], or [width] after the first
// dense layer, which flattens what comes in. One entry a layer. `invalid` when a layer cannot work on
// what it gets ("layer 3 'maxpool 4' would need at least 4x4 input, gets 2x2"), when the last one is
// not a dense layer with as many outputs as `last` asks for, or when the weights are more than kParametersMax.
[[nodiscard]] Result<std::vector<std::vector<std::int64_t>>> shapes_of(const wire::Signal& signal,
                                                                       const std::vector<Layer>& layers,
                                                                       LastLayer last = LastLayer::labels);

constexpr std::size_t kLayersMax = 64;
constexpr std::int64_t kParametersMax = std::int64_t{64} << 20;

}  // namespace hone
