// Whatever the files: what is applied is what was encoded, and no patch is larger than promised.
#include <gtest/gtest.h>
#include <zstd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "shared/delta/apply.hpp"
#include "shared/delta/encode/encode.hpp"

namespace hone::delta {
namespace {

std::size_t zstd_bytes(ByteView target) {
  Bytes out(ZSTD_compressBound(target.size()));
  return ZSTD_compress(out.data(), out.size(), target.data(), target.size(), 19);
}

// Encodes, applies, compares, checks the promise; hands back the patch's size.
std::size_t round_trip(ByteView base, ByteView target, Profile profile = Profile::standard, int effort = 5) {
  EncodeOptions options;
  options.profile = profile;
  options.effort = effort;
  const auto patch = encode(base, target, options);
  EXPECT_TRUE(patch.has_value());
  const auto again = apply(base, *patch, kFileBytesMax);
  EXPECT_TRUE(again.has_value()) << again.error().context;
  EXPECT_TRUE(again.has_value() && std::equal(again->begin(), again->end(), target.begin(), target.end()));
  const std::size_t compressed = zstd_bytes(target);
  EXPECT_LE(patch->size(), compressed + std::max<std::size_t>(256, compressed / 1000));
  return patch->size();
}

Bytes random_bytes(std::size_t count, std::uint_fast32_t seed) {
  std::mt19937 random(seed);
  Bytes bytes(count);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

// Words in the manner of a language: compressible, with far repeats.
Bytes text(std::size_t count, std::uint_fast32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::string> words;
  for (int i = 0; i < 800; ++i) {
    std::string word;
    for (auto n = 2 + random() % 9; n > 0; --n) word.push_back(static_cast<char>('a' + random() % 26 * (random() % 3) / 2));
    words.push_back(word + " ");
  }
  Bytes bytes;
  while (bytes.size() < count) {
    const std::string& word = words[std::min<std::size_t>(random() % 800, random() % 800)];
    bytes.insert(bytes.end(), word.begin(), word.end());
  }
  bytes.resize(count);
  return bytes;
}

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
  return out;
}
std::string part(unsigned field, const std::string& bytes) { return varint(field << 3 | 2) + varint(bytes.size()) + bytes; }
std::string number(unsigned field, std::uint64_t value) { return varint(field << 3) + varint(value); }

// An ONNX file with one initializer a layer.
Bytes onnx(const std::vector<std::vector<float>>& layers) {
  std::string graph = part(2, "net");
  for (std::size_t i = 0; i < layers.size(); ++i) {
    std::string raw(layers[i].size() * 4, '\0');
    std::memcpy(raw.data(), layers[i].data(), raw.size());
    graph += part(5, number(1, layers[i].size()) + number(2, 1) + part(8, "layer" + std::to_string(i) + ".weight") + part(9, raw));
  }
  return to_bytes(number(1, 8) + part(7, graph));
}

std::vector<std::vector<float>> weights(std::uint_fast32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<std::vector<float>> layers;
  for (const std::size_t size : {16u, 400u, 8u, 20000u, 30u}) {
    std::vector<float> layer(size);
    for (float& w : layer) w = 0.1f * normal(random);
    layers.push_back(layer);
  }
  return layers;
}

TEST(DeltaRoundTrip, SmallestFiles) {
  for (const std::size_t base : {0u, 1u, 5u}) {
    for (const std::size_t target : {0u, 1u, 2u, 3u, 4u, 7u, 300u}) {
      round_trip(random_bytes(base, 1), random_bytes(target, 2));
      round_trip(random_bytes(base, 1), random_bytes(target, 2), Profile::small);
    }
  }
}

TEST(DeltaRoundTrip, IdenticalFilesTakeFewBytes) {
  for (const std::size_t size : {1u, 100u, 100'000u, 3'000'000u}) {
    const Bytes file = random_bytes(size, 3);
    EXPECT_LT(round_trip(file, file), 200u);
    EXPECT_LT(round_trip(file, file, Profile::small), 200u);
  }
}

TEST(DeltaRoundTrip, RandomBytesStayRandomBytes) { round_trip(random_bytes(70'000, 4), random_bytes(1'000'000, 5)); }

TEST(DeltaRoundTrip, TextWithoutBaseIsSmallerThanZstd) {
  const Bytes target = text(200'000, 6);
  EXPECT_LT(round_trip({}, target), zstd_bytes(target));
  for (const int effort : {1, 3, 9}) round_trip({}, target, Profile::standard, effort);
}

TEST(DeltaRoundTrip, RunsAndRepeats) {
  round_trip({}, Bytes(500'000, 7));
  Bytes striped;
  for (int i = 0; i < 200'000; ++i) striped.push_back(static_cast<std::uint8_t>(i % 11 * (i % 3)));
  round_trip({}, striped);
  round_trip(Bytes(1000, 7), Bytes(300'000, 7));
}

TEST(DeltaRoundTrip, EditedBytesCostWhatWasEdited) {
  const Bytes base = random_bytes(200'000, 8);
  Bytes target = base;
  target.erase(target.begin() + 5000, target.begin() + 5100);
  const Bytes more = random_bytes(333, 9);
  target.insert(target.begin() + 100'000, more.begin(), more.end());
  std::rotate(target.begin() + 150'000, target.begin() + 160'000, target.begin() + 180'000);
  EXPECT_LT(round_trip(base, target), 600u);
  EXPECT_LT(round_trip(base, target, Profile::small), 600u);
}

TEST(DeltaRoundTrip, WeightsThatMovedALittle) {
  const auto before = weights(10);
  auto after = before;
  std::mt19937 random(11);
  std::normal_distribution<float> normal;
  for (auto& layer : after)
    for (float& w : layer) w += 1e-4f * normal(random);
  const Bytes base = onnx(before);
  const Bytes target = onnx(after);
  EXPECT_LT(round_trip(base, target), target.size() * 60 / 100);
  EXPECT_LT(round_trip(base, target, Profile::small), target.size() * 62 / 100);
}

TEST(DeltaRoundTrip, FewWeightsChanged) {
  const auto before = weights(12);
  auto after = before;
  std::mt19937 random(13);
  for (auto& layer : after)
    for (float& w : layer)
      if (random() % 20 == 0) w *= 1.01f;
  const Bytes base = onnx(before);
  const Bytes target = onnx(after);
  EXPECT_LT(round_trip(base, target), target.size() * 6 / 100);
}

TEST(DeltaRoundTrip, UnrelatedWeightsAndOddFloats) {
  auto odd = weights(14);
  const float infinity = std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i + 6 < odd[3].size(); i += 97) {
    odd[3][i] = 0.0f;
    odd[3][i + 1] = -0.0f;
    odd[3][i + 2] = infinity;
    odd[3][i + 3] = -infinity;
    odd[3][i + 4] = std::numeric_limits<float>::quiet_NaN();
    odd[3][i + 5] = std::numeric_limits<float>::denorm_min();
  }
  const Bytes base = onnx(weights(15));
  const Bytes target = onnx(odd);
  EXPECT_LT(round_trip(base, target), target.size());
  round_trip(target, base);
  round_trip({}, target, Profile::small);
}

// Blocks of 32 int8 weights behind a scale, in a container that no parser knows.
TEST(DeltaRoundTrip, SmallIntegersInAnUnknownContainer) {
  std::mt19937 random(31);
  std::normal_distribution<float> normal(0, 30);
  Bytes base = to_bytes("BUNDLE of an unknown kind");
  Bytes target = to_bytes("BUNDLE of an unknown kind, second edition");
  for (int block = 0; block < 4000; ++block) {
    const Bytes scale = random_bytes(2, random());
    base.insert(base.end(), scale.begin(), scale.end());
    target.insert(target.end(), scale.begin(), scale.end());
    for (int i = 0; i < 32; ++i) {
      const auto weight = static_cast<int>(std::clamp(normal(random), -127.0f, 126.0f));
      base.push_back(static_cast<std::uint8_t>(weight));
      target.push_back(static_cast<std::uint8_t>(weight + static_cast<int>(random() % 8 == 0)));
    }
  }
  // One in eight changes by one: 0.54 bits a weight.
  EXPECT_LT(round_trip(base, target), target.size() * 54 / 800 * 110 / 100);
}

TEST(DeltaRoundTrip, DoublesInAnUnknownContainerAtAnOddPlace) {
  std::mt19937 random(32);
  std::normal_distribution<double> normal;
  std::vector<double> values(20'000);
  for (double& v : values) v = normal(random);
  const auto file = [&](const std::string& head) {
    Bytes bytes = to_bytes(head);
    bytes.resize(head.size() + values.size() * 8);
    std::memcpy(bytes.data() + head.size(), values.data(), values.size() * 8);
    return bytes;
  };
  const Bytes base = file("abc");
  for (double& v : values) v += 1e-9 * normal(random);
  const Bytes target = file("abcdefg");
  // 1e-9 of the values' size leaves about 24 of the 64 bits to code.
  EXPECT_LT(round_trip(base, target), target.size() * 26 / 64);
}

// As training in half precision leaves them: thirteen bits of each float are zero.
TEST(DeltaRoundTrip, FloatsThatEndInZeros) {
  const auto rounded = [](std::vector<std::vector<float>> layers) {
    for (auto& layer : layers)
      for (float& w : layer) w = std::bit_cast<float>(std::bit_cast<std::uint32_t>(w) & ~0x1FFFu);
    return layers;
  };
  const auto before = weights(34);
  auto after = before;
  std::mt19937 random(35);
  std::normal_distribution<float> normal(0, 1e-3f);
  for (auto& layer : after)
    for (float& w : layer) w += normal(random);
  const auto full = round_trip(onnx(before), onnx(after));
  const Bytes target = onnx(rounded(after));
  for (const Profile profile : {Profile::small, Profile::standard}) {
    EXPECT_LT(round_trip(onnx(rounded(before)), target, profile), full - target.size() * 12 / 32);
    EXPECT_LT(round_trip({}, target, profile), target.size() * 19 / 32);
  }
}

TEST(DeltaRoundTrip, WeightsSetToZero) {
  const auto before = weights(33);
  auto after = before;
  for (auto& layer : after)
    for (float& w : layer)
      if (std::abs(w) < 0.05f) w = 0;
  const Bytes base = onnx(before);
  const Bytes target = onnx(after);
  EXPECT_LT(round_trip(base, target), zstd_bytes(target));
}

TEST(DeltaRoundTrip, RandomEditsOfRandomKinds) {
  std::mt19937 random(16);
  for (int round = 0; round < 60; ++round) {
    Bytes base = round % 2 == 0 ? onnx(weights(random())) : text(1 + random() % 3'000, random());
    Bytes target = base;
    for (auto edits = random() % 30; edits > 0; --edits) {
      const std::size_t at = target.empty() ? 0 : random() % target.size();
      const Bytes run = random_bytes(random() % 40, random());
      if (random() % 2 == 0) target.insert(target.begin() + static_cast<std::ptrdiff_t>(at), run.begin(), run.end());
      else target.erase(target.begin() + static_cast<std::ptrdiff_t>(at), target.begin() + static_cast<std::ptrdiff_t>(std::min(target.size(), at + run.size())));
    }
    round_trip(base, target, random() % 2 == 0 ? Profile::small : Profile::standard, 1 + static_cast<int>(random() % 9));
  }
}

// A file in blocks of 4 KiB, each of its own bytes.
Bytes blocks(std::size_t count, std::uint_fast32_t seed) { return random_bytes(count * 4096, seed); }

std::size_t round_trip_in_place(ByteView base, ByteView target, Header& header, Profile profile = Profile::small) {
  EncodeOptions options;
  options.profile = profile;
  options.in_place = true;
  options.block_log2 = 12;
  const auto patch = encode(base, target, options);
  EXPECT_TRUE(patch.has_value());
  const auto again = apply(base, *patch, kFileBytesMax);  // the decoder refuses whatever is out of reach
  EXPECT_TRUE(again.has_value()) << again.error().context;
  EXPECT_TRUE(again.has_value() && std::equal(again->begin(), again->end(), target.begin(), target.end()));
  EXPECT_EQ(read_header(patch->data(), patch->size(), header), Status::ok);
  return patch->size();
}

TEST(DeltaRoundTrip, InPlaceTakesTheSmallestShiftThatPays) {
  Header header;
  const Bytes base = blocks(40, 17);
  EXPECT_LT(round_trip_in_place(base, base, header), 200u);
  EXPECT_EQ(header.shift_blocks, 0u);

  Bytes shorter = base;
  shorter.erase(shorter.begin() + 100, shorter.begin() + 10'000);
  EXPECT_LT(round_trip_in_place(base, shorter, header), 200u) << "what moves down is ahead of what is written";
  EXPECT_EQ(header.shift_blocks, 0u);

  for (const std::size_t inserted : {10u, 4096u, 9000u}) {
    Bytes longer = base;
    const Bytes more = random_bytes(inserted, 18);
    longer.insert(longer.begin() + 50, more.begin(), more.end());
    EXPECT_LT(round_trip_in_place(base, longer, header), inserted + 420);
    EXPECT_EQ(header.shift_blocks, (inserted + 4095) / 4096);
  }

  Bytes turned = base;
  std::rotate(turned.begin(), turned.begin() + 20 * 4096, turned.end());
  EXPECT_LT(round_trip_in_place(base, turned, header), 300u);
  EXPECT_EQ(header.shift_blocks, 20u);

  Bytes one_block_back = base;  // little would be saved by moving everything
  std::copy_n(base.begin(), 64, one_block_back.begin() + 5 * 4096);
  EXPECT_LT(round_trip_in_place(base, one_block_back, header), 400u);
  EXPECT_EQ(header.shift_blocks, 0u);
}

TEST(DeltaRoundTrip, InPlaceWhateverTheFiles) {
  std::mt19937 random(19);
  Header header;
  round_trip_in_place({}, random_bytes(9000, 20), header);
  round_trip_in_place(random_bytes(9000, 20), {}, header);
  for (int round = 0; round < 30; ++round) {
    Bytes base = round % 2 == 0 ? onnx(weights(random())) : text(30'000, random());
    Bytes target = round % 4 == 0 ? onnx(weights(random())) : base;
    for (auto edits = random() % 30; edits > 0; --edits) {
      const std::size_t at = random() % target.size();
      const Bytes run = random_bytes(random() % 400, random());
      if (random() % 2 == 0) target.insert(target.begin() + static_cast<std::ptrdiff_t>(at), run.begin(), run.end());
      else target[at] = 7;
    }
    const auto profile = random() % 2 == 0 ? Profile::small : Profile::standard;
    const std::size_t plain = round_trip(base, target, profile);
    EXPECT_LE(round_trip_in_place(base, target, header, profile), plain + plain / 10 + 700);
  }
}

}  // namespace
}  // namespace hone::delta
