// delta_bench generate FOLDER             writes the synthetic pairs: FOLDER/<case>/{base,target}
// delta_bench measure BASE TARGET PATCH   writes the patch; one line of JSON: sizes and times of hone,
//                                         size of FM-Delta's method
// delta_bench apply BASE PATCH OUT        what a device does, as a process
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <utility>
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
  Bytes bytes(std::filesystem::file_size(path));
  std::ifstream(path, std::ios::binary).read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

void write(const std::filesystem::path& path, ByteView bytes) {
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
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
    const std::uint64_t x = E{}.to_ordered(delta::load_element<4>(&base[4 * i]));
    const std::uint64_t y = E{}.to_ordered(delta::load_element<4>(&target[4 * i]));
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

constexpr int kRuns = 3;
constexpr double kEncodeSecondsMax = 4;  // a slower encoding is timed once

int measure(const std::string& base_path, const std::string& target_path, const std::string& patch_path) {
  const Bytes base = read(base_path);
  const Bytes target = read(target_path);
  delta::EncodeOptions options;
  double encode_s = std::numeric_limits<double>::max();
  Bytes patch;
  for (int i = 0; i < kRuns && (i == 0 || encode_s < kEncodeSecondsMax); ++i) {
    const auto start = std::chrono::steady_clock::now();
    auto encoded = delta::encode(base, target, options);
    encode_s = std::min(encode_s, seconds(start));
    if (!encoded) return std::fprintf(stderr, "%s\n", encoded.error().context.c_str()), 1;
    patch = std::move(*encoded);
  }
  write(patch_path, patch);
  options.profile = delta::Profile::small;
  const auto small = delta::encode(base, target, options);
  if (!small) return std::fprintf(stderr, "%s\n", small.error().context.c_str()), 1;
  double decode_s = std::numeric_limits<double>::max();
  for (int i = 0; i < kRuns; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const auto rebuilt = delta::apply(base, patch, target.size());
    decode_s = std::min(decode_s, seconds(start));
    if (!rebuilt || *rebuilt != target) return std::fprintf(stderr, "decoding failed\n"), 1;
  }
  const auto rebuilt_small = delta::apply(base, *small, target.size());
  if (!rebuilt_small || *rebuilt_small != target) return std::fprintf(stderr, "decoding in the small profile failed\n"), 1;
  const double megabytes = static_cast<double>(target.size()) / 1e6;
  std::printf(
      "{\"target_bytes\": %zu, \"hone_bytes\": %zu, \"hone_small_bytes\": %zu, \"fm_delta_bytes\": %zu, \"encode_s\": %.4f, "
      "\"encode_mb_s\": %.1f, \"decode_s\": %.4f, \"decode_mb_s\": %.1f, \"workspace_bytes\": %zu, \"workspace_small_bytes\": %zu}\n",
      target.size(), patch.size(), small->size(), fm_delta_bytes(base, target), encode_s, megabytes / encode_s, decode_s,
      megabytes / decode_s, delta::Decoder::workspace_bytes(delta::Profile::standard), delta::Decoder::workspace_bytes(delta::Profile::small));
  return 0;
}

int apply_patch(const std::string& base_path, const std::string& patch_path, const std::string& out_path) {
  const Bytes base = read(base_path);
  const Bytes patch = read(patch_path);
  delta::Header header;
  if (delta::read_header(patch.data(), patch.size(), header) != delta::Status::ok) return 1;
  const auto target = delta::apply(base, patch, header.target_bytes);
  if (!target) return std::fprintf(stderr, "%s\n", target.error().context.c_str()), 1;
  write(out_path, *target);
  return 0;
}

int generate(const std::string& folder) {
  for (const auto& [name, pair] : bench::synthetic_pairs()) {
    const std::filesystem::path at = std::filesystem::path(folder) / name;
    std::filesystem::create_directories(at);
    write(at / "base", pair.base);
    write(at / "target", pair.target);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "generate" && argc == 3) return generate(argv[2]);
  if (verb == "measure" && argc == 5) return measure(argv[2], argv[3], argv[4]);
  if (verb == "apply" && argc == 5) return apply_patch(argv[2], argv[3], argv[4]);
  return std::fprintf(stderr, "usage: delta_bench generate FOLDER | measure BASE TARGET PATCH | apply BASE PATCH OUT\n"), 2;
}
