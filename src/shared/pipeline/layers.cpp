#include "shared/pipeline/layers.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <numeric>
#include <optional>

namespace hone {
namespace {

constexpr std::int64_t kWidthMax = 65536;
constexpr std::int64_t kKernelMax = 31;
constexpr std::string_view kKnown = "; known are: conv 16 3x3, maxpool 2, relu, dense 128, dropout 0.2";

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = text.find_first_not_of(' ', at);
    if (begin == std::string_view::npos) break;
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    at = end;
  }
  return words;
}

std::optional<std::int64_t> whole_number(std::string_view word, std::int64_t max) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size() || value < 1 || value > max) return std::nullopt;
  return value;
}

std::optional<double> fraction(std::string_view word) {
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size() || !(value > 0 && value < 1)) return std::nullopt;
  return value;
}

std::string by(std::int64_t height, std::int64_t width) {
  return std::to_string(height) + "x" + std::to_string(width);
}

std::int64_t product(const std::vector<std::int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

// A shape while it flows, and the weights so far.
struct Flow {
  std::vector<std::int64_t> shape;
  bool flat = false;
  std::int64_t parameters = 0;
};

Result<> check_image(const Flow& flow, const std::string& where) {
  if (flow.flat) return fail(Code::invalid, where + " comes after a dense layer, which has flattened its input");
  if (flow.shape.size() != 3)
    return fail(Code::invalid,
                where + " needs signal.shape to be [channels, height, width]; use dense layers for other shapes");
  return {};
}

Result<> pass(Flow& flow, const Layer& layer, const std::string& where) {
  switch (layer.kind) {
    case Layer::Kind::relu:
    case Layer::Kind::dropout: return {};
    case Layer::Kind::conv: {
      HONE_CHECK(check_image(flow, where));
      flow.parameters += layer.channels * (flow.shape[0] * layer.kernel_h * layer.kernel_w + 1);
      flow.shape[0] = layer.channels;
      return {};
    }
    case Layer::Kind::maxpool: {
      HONE_CHECK(check_image(flow, where));
      if (flow.shape[1] < layer.pool || flow.shape[2] < layer.pool)
        return fail(Code::invalid, where + " would need at least " + by(layer.pool, layer.pool) + " input, gets " +
                                       by(flow.shape[1], flow.shape[2]));
      flow.shape = {flow.shape[0], flow.shape[1] / layer.pool, flow.shape[2] / layer.pool};
      return {};
    }
    case Layer::Kind::dense:
      flow.parameters += layer.channels * (product(flow.shape) + 1);
      flow.shape = {layer.channels};
      flow.flat = true;
      return {};
  }
  return {};
}

}  // namespace

Result<Layer> parse_layer(std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    return fail(Code::invalid, "'" + std::string(text.substr(0, 64)) + "' " + std::string(why));
  };
  const auto words = words_of(text);
  Layer layer;
  if (words.empty()) return refuse("is no layer" + std::string(kKnown));
  if (words[0] == "relu") {
    if (words.size() != 1) return refuse("must be just 'relu'");
    layer.kind = Layer::Kind::relu;
  } else if (words[0] == "conv") {
    layer.kind = Layer::Kind::conv;
    const std::size_t cross = words.size() == 3 ? words[2].find('x') : std::string_view::npos;
    if (cross == std::string_view::npos)
      return refuse("must read like 'conv 16 3x3': output channels, then the kernel");
    const auto channels = whole_number(words[1], kWidthMax);
    const auto height = whole_number(words[2].substr(0, cross), kKernelMax);
    const auto width = whole_number(words[2].substr(cross + 1), kKernelMax);
    if (!channels || !height || !width || *height % 2 == 0 || *width % 2 == 0)
      return refuse("must have 1 to 65536 channels and a kernel of odd sizes from 1x1 to 31x31");
    layer.channels = *channels;
    layer.kernel_h = *height;
    layer.kernel_w = *width;
  } else if (words[0] == "maxpool") {
    layer.kind = Layer::Kind::maxpool;
    const auto pool = words.size() == 2 ? whole_number(words[1], kKernelMax) : std::nullopt;
    if (!pool) return refuse("must read like 'maxpool 2', from 1 to 31");
    layer.pool = *pool;
  } else if (words[0] == "dense") {
    layer.kind = Layer::Kind::dense;
    const auto width = words.size() == 2 ? whole_number(words[1], kWidthMax) : std::nullopt;
    if (!width) return refuse("must read like 'dense 128', from 1 to 65536");
    layer.channels = *width;
  } else if (words[0] == "dropout") {
    layer.kind = Layer::Kind::dropout;
    const auto rate = words.size() == 2 ? fraction(words[1]) : std::nullopt;
    if (!rate) return refuse("must read like 'dropout 0.2', more than 0 and less than 1");
    layer.rate = *rate;
  } else {
    return refuse("is no layer" + std::string(kKnown));
  }
  return layer;
}

std::string to_text(const Layer& layer) {
  switch (layer.kind) {
    case Layer::Kind::relu: return "relu";
    case Layer::Kind::conv: return "conv " + std::to_string(layer.channels) + " " + by(layer.kernel_h, layer.kernel_w);
    case Layer::Kind::maxpool: return "maxpool " + std::to_string(layer.pool);
    case Layer::Kind::dense: return "dense " + std::to_string(layer.channels);
    case Layer::Kind::dropout: {
      std::array<char, 32> text{};
      const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), layer.rate);
      return "dropout " + std::string(text.data(), error == std::errc() ? end : text.data());
    }
  }
  return "";
}

Result<std::vector<std::vector<std::int64_t>>> shapes_of(const wire::Signal& signal, const std::vector<Layer>& layers,
                                                         LastLayer last_layer) {
  if (layers.empty() || layers.size() > kLayersMax)
    return fail(Code::invalid, "there must be 1 to 64 layers, not " + std::to_string(layers.size()));
  Flow flow;
  flow.shape = signal.shape;
  std::vector<std::vector<std::int64_t>> shapes;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string where = "layer " + std::to_string(i + 1) + " '" + to_text(layers[i]) + "'";
    HONE_CHECK(pass(flow, layers[i], where));
    if (flow.parameters > kParametersMax)
      return fail(Code::invalid, where + " brings the model to more than 67108864 weights; make it smaller");
    shapes.push_back(flow.shape);
  }
  const Layer& last = layers.back();
  const bool for_labels = last_layer == LastLayer::labels;
  const auto outputs = static_cast<std::int64_t>(for_labels ? signal.labels.size() : signal.elements());
  if (last.kind != Layer::Kind::dense || last.channels != outputs)
    return fail(Code::invalid, "layer " + std::to_string(layers.size()) + " '" + to_text(last) + "' must be 'dense " +
                                   std::to_string(outputs) + "': one output for each " +
                                   (for_labels ? "label" : "element of a sample"));
  return shapes;
}

}  // namespace hone
