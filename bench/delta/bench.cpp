// delta_bench generate FOLDER        writes the synthetic pairs: FOLDER/<case>/{base,target}
// delta_bench measure BASE TARGET    one line of JSON: sizes and times of hone, size of FM-Delta's method
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "shared/delta/apply.hpp"
#include "shared/delta/decode/decoder.hpp"
#include "shared/delta/encode/encode.hpp"
#include "shared/delta/encode/range_encoder.hpp"
#include "shared/delta/format/elements.hpp"
#include "synthetic.hpp"

namespace {

using namespace hone;

Bytes read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

double seconds(const std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// FM-Delta (Ning et al., NeurIPS 2024), its method written anew: both files as fp32 words at the
// same place, order-preserving map, subtraction, sign and bit length range-coded adaptively, the
// bits below raw. What has no counterpart is raw.
std::size_t fm_delta_bytes(ByteView base, ByteView target) {
  using E = delta::Element<delta::Type::f32>;
  Bytes out;
  delta::RangeEncoder coder(out);
  std::vector<delta::Counter> counters(128, delta::kEvenCounter);
  const std::size_t words = std::min(base.size(), target.size()) / 4;
  for (std::size_t i = 0; i < words; ++i) {
    const std::uint64_t x = E::to_ordered(delta::load_element<4>(&base[4 * i]));
    const std::uint64_t y = E::to_ordered(delta::load_element<4>(&target[4 * i]));
    const std::uint64_t size = y > x ? y - x : x - y;
    const std::uint32_t length = delta::bit_length(size);
    (void)delta::code_tree(coder, counters.data(), 6, length, 255);
    if (length == 0) continue;
    (void)coder.bit(counters[64 + length], y < x ? 1 : 0, 255);
    (void)delta::code_raw(coder, size & ((std::uint64_t{1} << (length - 1)) - 1), length - 1);
  }
  coder.finish();
  return out.size() + (target.size() - 4 * words);
}

int measure(const std::string& base_path, const std::string& target_path) {
  const Bytes base = read(base_path);
  const Bytes target = read(target_path);
  delta::EncodeOptions options;
  const auto start = std::chrono::steady_clock::now();
  const auto patch = delta::encode(base, target, options);
  const double encode_s = seconds(start);
  options.profile = delta::Profile::small;
  const auto small = delta::encode(base, target, options);
  if (!patch || !small) return std::fprintf(stderr, "encoding failed\n"), 1;
  double decode_s = std::numeric_limits<double>::max();
  for (int i = 0; i < 3; ++i) {
    Bytes rebuilt;
    rebuilt.reserve(target.size());
    const auto begin = std::chrono::steady_clock::now();
    const auto done = delta::apply(base, *patch, target.size(), [&](ByteView bytes) -> Result<> {
      rebuilt.insert(rebuilt.end(), bytes.begin(), bytes.end());
      return {};
    });
    decode_s = std::min(decode_s, seconds(begin));
    if (!done || rebuilt != target) return std::fprintf(stderr, "decoding failed\n"), 1;
  }
  std::printf(
      "{\"target_bytes\": %zu, \"hone_bytes\": %zu, \"hone_small_bytes\": %zu, \"fm_delta_bytes\": %zu, \"encode_s\": %.4f, "
      "\"decode_s\": %.4f, \"decode_mb_s\": %.1f, \"workspace_bytes\": %zu, \"workspace_small_bytes\": %zu}\n",
      target.size(), patch->size(), small->size(), fm_delta_bytes(base, target), encode_s, decode_s,
      static_cast<double>(target.size()) / 1e6 / decode_s, delta::Decoder::workspace_bytes(delta::Profile::standard),
      delta::Decoder::workspace_bytes(delta::Profile::small));
  return 0;
}

int generate(const std::string& folder) {
  for (const auto& [name, pair] : bench::synthetic_pairs()) {
    const std::filesystem::path at = std::filesystem::path(folder) / name;
    std::filesystem::create_directories(at);
    const auto write = [&](const char* file, const Bytes& bytes) {
      std::ofstream(at / file, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    };
    write("base", pair.base);
    write("target", pair.target);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "generate") return generate(argv[2]);
  if (argc == 4 && std::string(argv[1]) == "measure") return measure(argv[2], argv[3]);
  return std::fprintf(stderr, "usage: delta_bench generate FOLDER | measure BASE TARGET\n"), 2;
}
