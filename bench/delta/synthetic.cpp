#include "synthetic.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "weights_file.hpp"

namespace hone::bench {
namespace {

using Random = std::mt19937_64;

struct Layer {
  std::size_t rows;
  std::size_t cols;
  std::vector<float> weights;
};
using Net = std::vector<Layer>;

constexpr std::size_t kWeights = 1'200'000;
constexpr std::pair<std::size_t, std::size_t> kShapes[] = {{32, 27},     {64, 288},   {64, 576},   {128, 576}, {128, 1152}, {256, 1152},
                                                           {256, 576},   {512, 512},  {0, 500},    {256, 512}, {10, 256}};

double normal(Random& random) { return std::normal_distribution<double>()(random); }
double laplace(Random& random) {
  const double size = std::exponential_distribution<double>(std::sqrt(2.0))(random);
  return random() % 2 == 0 ? size : -size;
}

Net draw(std::uint64_t seed) {
  Random random(seed);
  std::size_t known = 0;
  for (const auto& [rows, cols] : kShapes) known += rows * cols;
  Net net;
  const auto add = [&](std::size_t rows, std::size_t cols) {
    Layer layer{rows, cols, {}};
    for (std::size_t r = 0; r < rows; ++r) {
      const double scale = std::sqrt(2.0 / static_cast<double>(cols)) * std::exp(0.25 * normal(random));
      for (std::size_t c = 0; c < cols; ++c)
        layer.weights.push_back(static_cast<float>(scale * (random() % 2 == 0 ? normal(random) : laplace(random))));
    }
    net.push_back(std::move(layer));
  };
  const std::size_t rest = kWeights - known;
  for (const auto& [rows, cols] : kShapes) add(rows == 0 ? rest / cols : rows, cols);
  if (rest % 500 != 0) add(1, rest % 500);
  return net;
}

double deviation(const Layer& layer) {
  double sum = 0;
  double squares = 0;
  for (const float w : layer.weights) sum += w, squares += static_cast<double>(w) * w;
  const auto n = static_cast<double>(layer.weights.size());
  return std::sqrt(squares / n - sum / n * (sum / n));
}

template <class F>
Net changed(const Net& net, F&& change) {
  Net out = net;
  for (Layer& layer : out) {
    const double sigma = deviation(layer);
    for (float& w : layer.weights) w = static_cast<float>(change(static_cast<double>(w), sigma));
  }
  return out;
}

std::vector<std::int64_t> shape_of(const Layer& layer) {
  return {static_cast<std::int64_t>(layer.rows), static_cast<std::int64_t>(layer.cols)};
}

Bytes fp32(const Net& net, const std::vector<float>& inserted = {}) {
  SafetensorsFile file;
  for (std::size_t i = 0; i < net.size(); ++i) {
    if (i == 6 && !inserted.empty()) file.add("inserted", "F32", {static_cast<std::int64_t>(inserted.size())}, inserted);
    file.add("layer" + std::to_string(i) + ".weight", "F32", shape_of(net[i]), net[i].weights);
  }
  return file.finish();
}

// Symmetric, one scale a row, taken from `scales`; `nudge` may change a value.
template <class F>
Bytes int8(const Net& net, const Net& scales, F&& nudge) {
  SafetensorsFile file;
  for (std::size_t i = 0; i < net.size(); ++i) {
    Int8Rows rows = quantise_rows(net[i].weights, net[i].rows, scales[i].weights);
    for (auto& q : rows.values) q = nudge(q);
    file.add("layer" + std::to_string(i) + ".scale", "F32", {shape_of(net[i])[0]}, rows.steps);
    file.add("layer" + std::to_string(i) + ".weight", "I8", shape_of(net[i]), rows.values);
  }
  return file.finish();
}

}  // namespace

std::map<std::string, Pair> synthetic_pairs() {
  const Net base = draw(7);
  Random random(8);
  const Bytes floats = fp32(base);
  const auto keep = [](std::int8_t q) { return q; };
  const auto step = [&](std::int8_t q) -> std::int8_t {
    if (random() % 100 >= 3) return q;
    return static_cast<std::int8_t>(std::clamp(q + (random() % 2 == 0 ? 1 : -1), -127, 127));
  };
  const Bytes quantised = int8(base, base, keep);
  const Net sparse = changed(base, [&](double w, double s) { return random() % 20 == 0 ? w + 0.05 * s * normal(random) : w; });
  std::vector<float> inserted(4000);
  for (float& w : inserted) w = static_cast<float>(0.05 * normal(random));

  std::map<std::string, Pair> pairs;
  pairs["ia"] = {floats, fp32(changed(base, [&](double w, double s) { return w + 1e-3 * s * normal(random); }))};
  pairs["ib"] = {floats, fp32(changed(base, [&](double w, double) { return w * (1 + 1e-3 * normal(random)); }))};
  pairs["ii"] = {floats, fp32(sparse)};
  pairs["iv"] = {floats, fp32(draw(99))};
  pairs["v"] = {floats, fp32(sparse, inserted)};
  pairs["iii"] = {quantised, int8(base, base, step)};
  pairs["iiib"] = {quantised, int8(changed(base, [&](double w, double s) { return w + 1e-2 * s * normal(random); }), base, keep)};
  return pairs;
}

}  // namespace hone::bench
