// What the encoder promises of sizes, threads and progress. `make delta-promise` compares many more files.
#include "shared/delta/encode/encode.hpp"

#include <gtest/gtest.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "shared/delta/apply.hpp"

namespace hone::delta {
namespace {

std::size_t patch_bytes(ByteView base, ByteView target, Profile profile = Profile::standard) {
  EncodeOptions options;
  options.profile = profile;
  const auto patch = encode(base, target, options);
  EXPECT_TRUE(patch.has_value());
  const auto again = apply(base, *patch, target.size());
  EXPECT_TRUE(again.has_value() && std::equal(again->begin(), again->end(), target.begin(), target.end()));
  return patch->size();
}

void keeps_promise(const std::string& name, ByteView target) {
  Bytes out(ZSTD_compressBound(target.size()));
  const std::size_t zstd = ZSTD_compress(out.data(), out.size(), target.data(), target.size(), 19);
  for (const Profile profile : {Profile::small, Profile::standard})
    EXPECT_LE(patch_bytes({}, target, profile), zstd + std::max<std::size_t>(256, zstd / 1000)) << name;
}

std::string made(std::size_t count, const std::function<void(std::string&)>& more) {
  std::string out;
  while (out.size() < count) more(out);
  out.resize(count);
  return out;
}

TEST(DeltaPromise, NeverMuchLargerThanZstdWhateverTheBytes) {
  std::mt19937 random(31);
  std::normal_distribution<double> normal;
  const auto pick = [&](std::size_t n) { return random() % n; };
  std::vector<std::string> words;
  for (int i = 0; i < 800; ++i) words.push_back(made(2 + pick(9), [&](std::string& s) { s += static_cast<char>('a' + pick(26)); }) + ' ');
  const auto floats = [&](auto as, double scale) {
    return made(60'000, [&, as](std::string& s) {
      auto value = as;
      value = static_cast<decltype(value)>(normal(random) * scale);
      s.append(reinterpret_cast<const char*>(&value), sizeof value);
    });
  };
  const std::vector<std::pair<std::string, std::string>> files{
      {"nothing", ""},
      {"one byte", "x"},
      {"zeros", std::string(300'000, '\0')},
      {"a period", made(100'000, [](std::string& s) { s += "abcdefghijk"; })},
      {"noise", made(50'000, [&](std::string& s) { s += static_cast<char>(random()); })},
      {"three words", made(500'000, [&](std::string& s) { s += pick(3) == 0 ? "foo bar " : pick(2) == 0 ? "baz" : "quux\n"; })},
      {"short text", made(14'000, [&](std::string& s) { s += words[std::min(pick(800), pick(800))]; })},
      {"text", made(150'000, [&](std::string& s) { s += words[std::min(pick(800), pick(800))]; })},
      {"hexadecimal", made(100'000, [&](std::string& s) { s += "0123456789abcdef"[pick(16)]; })},
      {"base64", made(150'000, [&](std::string& s) { s += "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[pick(64)]; })},
      {"bits", made(60'000, [&](std::string& s) { s += static_cast<char>(pick(4) == 0); })},
      {"csv", made(60'000, [&, i = 0](std::string& s) mutable { s += std::to_string(i++) + "," + std::to_string(normal(random)) + ",ok\n"; })},
      {"json", made(60'000, [&](std::string& s) { s += "{\"id\": " + std::to_string(pick(100'000)) + ", \"name\": \"" + words[pick(800)] + "\"}, "; })},
      {"fp32", floats(0.0f, 0.1)},
      {"fp64", floats(0.0, 0.1)},
      {"int8", floats(std::int8_t{}, 20)},
      {"narrow int8", floats(std::int8_t{}, 2)},
      {"int16", floats(std::int16_t{}, 2000)},
      {"int32", floats(std::int32_t{}, 20'000)},
      {"noise and text", made(30'000, [&](std::string& s) { s += static_cast<char>(random()); }) + made(30'000, [&](std::string& s) { s += words[pick(800)]; })},
  };
  for (const auto& [name, bytes] : files) keeps_promise(name, as_bytes(bytes));
}

TEST(DeltaPromise, NeverMuchLargerThanZstdOnTheFilesOfThisRepository) {
  const std::filesystem::path root(HONE_SOURCE_FOLDER);
  for (const auto* name : {"README.md", "Makefile", "docs/formats/delta.md", "src/shared/delta/format/generic.hpp", "src/shared/model/tflite.cpp",
                           "tests/golden/delta/decoder.py", "tests/golden/delta/noise.target", "tools/setup", "CMakePresets.json"}) {
    std::ifstream in(root / name, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    EXPECT_FALSE(bytes.empty()) << name;
    keeps_promise(name, as_bytes(bytes));
  }
}

// Layers of weights behind each other, each behind a head of its own.
struct Layer {
  std::string name;
  std::vector<float> weights;
  std::size_t rows = 0;  // of a matrix
};
std::vector<Layer> layers(std::uint_fast32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<Layer> made;
  for (int i = 0; i < 5; ++i) {
    made.push_back({"layer" + std::to_string(i) + ".weight", std::vector<float>(4096 + 512 * static_cast<std::size_t>(i))});
    for (float& w : made.back().weights) w = 0.05f * normal(random);
  }
  return made;
}
std::vector<Layer> trained(std::vector<Layer> made) {
  std::mt19937 random(77);
  std::normal_distribution<float> normal;
  for (Layer& layer : made)
    for (float& w : layer.weights) w += 1e-4f * normal(random);
  return made;
}
Bytes safetensors(const std::vector<Layer>& made, std::size_t pad = 0) {
  std::string header = "{";
  std::string data;
  for (const Layer& layer : made) {
    const std::size_t bytes = layer.weights.size() * 4;
    header += (header.size() > 1 ? ",\"" : "\"") + layer.name + "\":{\"dtype\":\"F32\",\"shape\":[" +
              (layer.rows == 0 ? "" : std::to_string(layer.rows) + ",") + std::to_string(layer.weights.size() / std::max<std::size_t>(layer.rows, 1)) +
              "],\"data_offsets\":[" + std::to_string(data.size()) + "," + std::to_string(data.size() + bytes) + "]}";
    data.append(reinterpret_cast<const char*>(layer.weights.data()), bytes);
  }
  header += "}" + std::string(pad, ' ');
  std::string out;
  for (unsigned i = 0; i < 8; ++i) out.push_back(static_cast<char>(header.size() >> (8 * i)));
  return to_bytes(out + header + data);
}

TEST(DeltaMatching, FollowsTensorsThatMoved) {
  const auto before = layers(41);
  const Bytes base = safetensors(before);
  const auto after = trained(before);
  const std::size_t usual = patch_bytes(base, safetensors(after));
  EXPECT_LT(usual, base.size() * 60 / 100);
  const auto near = [&](const std::vector<Layer>& other, std::size_t pad = 0) {
    EXPECT_LT(patch_bytes(base, safetensors(other, pad)), usual + usual / 100 + 300);
  };
  auto other = after;
  std::rotate(other.begin(), other.begin() + 2, other.end());
  near(other);  // in another order
  for (std::size_t i = 0; i < other.size(); ++i) other[i].name = "module." + std::to_string(i);
  near(other);      // and under other names
  near(after, 3);   // at another alignment
  near(other, 13);  // all of it
  auto more = after;
  more.insert(more.begin() + 1, Layer{"new.bias", {0.5f, 0.25f, 0.125f}});
  near(more);
}

TEST(DeltaMatching, FollowsTensorsThatGrewOrShrank) {
  constexpr std::size_t kRows = 64;
  constexpr std::size_t kColumns = 200;
  const auto matrix = [](std::size_t rows, std::size_t columns) {
    std::mt19937 random(45);
    std::normal_distribution<float> normal;
    std::vector<float> all(2 * kRows * 2 * kColumns);  // of which each matrix is the upper left part
    for (float& w : all) w = 0.05f * normal(random);
    std::vector<Layer> made{{"head.weight", {}, rows}};
    for (std::size_t r = 0; r < rows; ++r)
      made[0].weights.insert(made[0].weights.end(), &all[r * 2 * kColumns], &all[r * 2 * kColumns + columns]);
    return made;
  };
  const Bytes base = safetensors(matrix(kRows, kColumns));
  const std::size_t usual = patch_bytes(base, safetensors(trained(matrix(kRows, kColumns))));
  const auto check = [&](std::size_t rows, std::size_t columns) {
    const std::size_t shared = std::min(rows, kRows) * std::min(columns, kColumns);
    const std::size_t fresh = rows * columns - shared;
    const std::size_t heads = columns == kColumns ? 2 : 2 * rows;
    EXPECT_LT(patch_bytes(base, safetensors(trained(matrix(rows, columns)))),
              usual * shared / (kRows * kColumns) + fresh * 29 / 8 + heads * 8 + 200)
        << rows << " x " << columns;
  };
  check(kRows + 10, kColumns);
  check(kRows - 10, kColumns);
  check(kRows, kColumns + 16);
  check(kRows, kColumns - 50);
  check(kRows + 3, kColumns + 40);
}

TEST(DeltaMatching, ReExportedWeightsCostNextToNothing) {
  const auto before = layers(42);
  const Bytes base = safetensors(before);
  auto other = before;
  std::rotate(other.begin(), other.begin() + 3, other.end());
  EXPECT_LE(patch_bytes(base, safetensors(other)), 300u);
  for (std::size_t i = 0; i < other.size(); ++i) other[i].name = "m." + std::to_string(i) + ".w";
  EXPECT_LE(patch_bytes(base, safetensors(other)), 300u);
  EXPECT_LE(patch_bytes(base, safetensors(other, 5)), 300u);
  EXPECT_LE(patch_bytes(base, safetensors(other, 5), Profile::small), 300u);
}

TEST(DeltaEncode, MakesTheSamePatchOnAnyNumberOfThreads) {
  const auto before = layers(43);
  const Bytes base = safetensors(before);
  for (const Profile profile : {Profile::small, Profile::standard}) {
    for (const bool in_place : {false, true}) {
      EncodeOptions options;
      options.profile = profile;
      options.in_place = in_place;
      for (const Bytes& target : {safetensors(trained(before), 7), to_bytes(made(20'000, [i = 0](std::string& s) mutable { s += std::to_string(i * i) + " ", ++i; }))}) {
        options.threads = 1;
        const auto alone = encode(base, target, options);
        for (const unsigned threads : {2u, 3u, 8u}) {
          options.threads = threads;
          EXPECT_EQ(*encode(base, target, options), *alone);
        }
      }
    }
  }
}

TEST(DeltaEncode, TellsProgressThatNeverFalls) {
  const auto before = layers(44);
  const Bytes base = safetensors(before);
  for (const bool in_place : {false, true}) {
    EncodeOptions options;
    options.in_place = in_place;
    std::vector<double> told;
    options.on_progress = [&](double done) { told.push_back(done); };
    ASSERT_TRUE(encode(base, safetensors(trained(before), 7), options).has_value());
    ASSERT_GT(told.size(), 2u);
    EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
    EXPECT_GE(told.front(), 0.0);
    EXPECT_EQ(told.back(), 1.0);
  }
}

}  // namespace
}  // namespace hone::delta
