// The decoder against input in pieces, cut short, damaged, made for another base, or hostile.
#include "shared/delta/decode/decoder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "shared/delta/apply.hpp"
#include "shared/delta/device_for_test.hpp"
#include "shared/delta/encode/encode.hpp"
#include "shared/delta/inspect.hpp"

namespace hone::delta {
namespace {

using Device = TestDevice;

// Also checks that nothing is written behind the workspace.
Status decode(Device& device, ByteView patch, std::size_t piece, Profile profile = Profile::standard,
              std::uint64_t target_max = 1 << 24) {
  constexpr std::uint8_t kUntouched = 0xA5;
  const std::size_t workspace_bytes = Decoder::workspace_bytes(profile);
  std::vector<std::uint8_t> memory(workspace_bytes + 64 * 1024, kUntouched);
  Decoder decoder;
  Status status = decoder.init(device.callbacks(), memory.data(), workspace_bytes, target_max);
  for (std::size_t at = 0; at < patch.size() && status == Status::ok; at += piece)
    status = decoder.feed(patch.data() + at, std::min(piece, patch.size() - at));
  if (status == Status::ok) status = decoder.finish();
  EXPECT_TRUE(std::all_of(memory.begin() + static_cast<std::ptrdiff_t>(workspace_bytes), memory.end(),
                          [](std::uint8_t byte) { return byte == kUntouched; }));
  return status;
}

struct Example {
  Bytes base;
  Bytes target;
  Bytes patch;
};

// Floats behind a little text, some changed, some inserted: all kinds of operations.
Example example(Profile profile) {
  std::mt19937 random(21);
  std::normal_distribution<float> normal(0, 0.05f);
  std::vector<float> weights(3000);
  for (float& w : weights) w = normal(random);
  const auto file = [&](const std::string& head) {
    Bytes bytes = to_bytes(head);
    bytes.resize(bytes.size() + weights.size() * 4);
    std::memcpy(bytes.data() + head.size(), weights.data(), weights.size() * 4);
    return bytes;
  };
  Example made;
  made.base = file("the first version of a bundle");
  for (std::size_t i = 0; i < weights.size(); i += 3) weights[i] += 1e-4f * normal(random);
  made.target = file("the second version of a bundle, with more words");
  EncodeOptions options;
  options.profile = profile;
  made.patch = *encode(made.base, made.target, options);
  return made;
}

TEST(DeltaDecoder, TakesInputInPiecesOfAnySize) {
  for (const Profile profile : {Profile::small, Profile::standard}) {
    const Example e = example(profile);
    for (const std::size_t piece : {1u, 2u, 3u, 7u, 87u, 88u, 89u, 127u, 128u, 129u, 255u, 256u, 257u, 1000u, 100'000u}) {
      Device device{e.base};
      EXPECT_EQ(decode(device, e.patch, piece), Status::done) << piece;
      EXPECT_EQ(device.written, e.target) << piece;
    }
  }
}

// Floats from the first byte on that end just where the decoder's buffer does, and other bytes behind.
TEST(DeltaDecoder, KeepsToItsBufferWhenValuesFillItToTheBrim) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0, 0.05f);
  for (const Profile profile : {Profile::small, Profile::standard}) {
    std::vector<float> weights(64 * 1024 / 4);
    for (float& w : weights) w = normal(random);
    const auto file = [&](const std::string& tail) {
      Bytes bytes(weights.size() * 4);
      std::memcpy(bytes.data(), weights.data(), bytes.size());
      bytes.insert(bytes.end(), tail.begin(), tail.end());
      return bytes;
    };
    Device device;
    device.base = file("tail");
    for (float& w : weights) w += 1e-4f * normal(random);
    std::string tail;
    for (int i = 0; i < 40'000; ++i) tail += static_cast<char>('a' + random() % 26);
    const Bytes target = file(tail);
    EncodeOptions options;
    options.profile = profile;
    const Bytes patch = *encode(device.base, target, options);
    EXPECT_EQ(decode(device, patch, 1000, profile), Status::done);
    EXPECT_EQ(device.written, target);
  }
}

TEST(DeltaDecoder, SmallProfileNeedsSixteenKibibytesWhateverTheFile) {
  EXPECT_LE(Decoder::workspace_bytes(Profile::small) + sizeof(Decoder), 16u * 1024);
  EXPECT_LE(Decoder::workspace_bytes(Profile::standard) + sizeof(Decoder), 1024u * 1024);
  const Example e = example(Profile::small);
  Device device{e.base};
  EXPECT_EQ(decode(device, e.patch, 500, Profile::small), Status::done);
}

TEST(DeltaDecoder, SaysWhenTheWorkspaceIsTooSmall) {
  const Example e = example(Profile::standard);
  Device device{e.base};
  EXPECT_EQ(decode(device, e.patch, 500, Profile::small), Status::workspace_too_small);
  Decoder decoder;
  EXPECT_EQ(decoder.init(device.callbacks(), nullptr, 0, 1), Status::workspace_too_small);
  EXPECT_EQ(Decoder{}.feed(e.patch.data(), 1), Status::misuse);
}

TEST(DeltaDecoder, WritesNothingForTheWrongBase) {
  const Example e = example(Profile::standard);
  Device device{e.base};
  device.base[100] ^= 1;
  EXPECT_EQ(decode(device, e.patch, 64), Status::wrong_base);
  EXPECT_TRUE(device.written.empty());
  device.base.pop_back();
  EXPECT_EQ(decode(device, e.patch, 64), Status::wrong_base);
}

TEST(DeltaDecoder, RefusesATargetThatIsTooLarge) {
  const Example e = example(Profile::standard);
  Device device{e.base};
  EXPECT_EQ(decode(device, e.patch, 64, Profile::standard, e.target.size() - 1), Status::target_too_large);
  EXPECT_TRUE(device.written.empty());
}

TEST(DeltaDecoder, KnowsTheEnd) {
  const Example e = example(Profile::standard);
  for (std::size_t cut = 0; cut < e.patch.size(); cut += cut < 120 ? 1 : 37) {
    Device device{e.base};
    EXPECT_EQ(decode(device, ByteView(e.patch).first(cut), 50), Status::truncated) << cut;
    EXPECT_FALSE(device.out_of_bounds);
  }
  Bytes longer = e.patch;
  longer.push_back(0);
  for (const std::size_t piece : {1u, 50u, 100'000u}) {
    Device device{e.base};
    EXPECT_EQ(decode(device, longer, piece), Status::trailing_bytes) << piece;
  }
}

TEST(DeltaDecoder, NeverTakesAWrongTargetForGood) {
  std::mt19937 random(22);
  for (const Profile profile : {Profile::small, Profile::standard}) {
    const Example e = example(profile);
    for (int round = 0; round < 700; ++round) {
      Bytes bad = e.patch;
      for (auto edits = 1 + random() % 3; edits > 0; --edits) bad[random() % bad.size()] ^= static_cast<std::uint8_t>(1 + random() % 255);
      if (bad == e.patch) continue;
      Device device{e.base};
      const Status status = decode(device, bad, 1 + random() % 400);
      // The last bytes of a range coder's stream have a little slack: then the target is right all the same.
      if (status == Status::done) {
        EXPECT_EQ(device.written, e.target);
      }
      EXPECT_NE(status, Status::ok);
      EXPECT_FALSE(device.out_of_bounds);
      EXPECT_LE(device.written.size(), std::size_t{1} << 24);
    }
  }
}

TEST(DeltaDecoder, HeaderErrorsAreDistinct) {
  const Example e = example(Profile::standard);
  const auto with = [&](std::size_t at, std::uint8_t byte) {
    Bytes bad = e.patch;
    bad[at] = byte;
    Device device{e.base};
    return decode(device, bad, 1000);
  };
  EXPECT_EQ(with(0, 'X'), Status::not_a_patch);
  EXPECT_EQ(with(4, kVersion + 1), Status::unknown_version);
  EXPECT_EQ(with(5, 2), Status::bad_header);
  EXPECT_EQ(with(7, 1), Status::bad_header);
  EXPECT_EQ(with(15, 1), Status::bad_header);   // a base of 2^56 bytes
  EXPECT_EQ(with(60, static_cast<std::uint8_t>(e.patch[60] ^ 1)), Status::wrong_target);
}

TEST(DeltaDecoder, SaysWhenACallbackFails) {
  const Example e = example(Profile::small);
  Device device{e.base};
  device.writes_left = 2;
  EXPECT_EQ(decode(device, e.patch, 300), Status::io_target);
}

// A disk that fails to write or to read.
class BadDisk final : public TargetSink {
 public:
  explicit BadDisk(Bytes& kept, bool writes) : kept_(kept), writes_(writes) {}
  Result<> write(ByteView piece) override {
    if (!writes_) return fail(Code::no_space, "the disk is full");
    kept_.insert(kept_.end(), piece.begin(), piece.end());
    return {};
  }
  Result<> read(std::uint64_t, std::span<std::uint8_t>) override { return fail(Code::unavailable, "the disk is gone"); }

 private:
  Bytes& kept_;
  bool writes_;
};

TEST(DeltaApply, HandsBackWhatTheSinkSaid) {
  const Example e = example(Profile::standard);
  Bytes kept;
  BadDisk full(kept, false);
  EXPECT_EQ(apply(e.base, e.patch, 1 << 20, full).error().code, Code::no_space);
  // Noise, and much later the same again, is read back from the sink.
  std::mt19937 random(22);
  Bytes twice(100'000);
  for (auto& byte : twice) byte = static_cast<std::uint8_t>(random());
  std::copy(twice.begin(), twice.begin() + 1000, twice.end() - 1000);
  BadDisk unreadable(kept, true);
  EXPECT_EQ(apply({}, *encode({}, twice), 1 << 20, unreadable).error().code, Code::unavailable);
  EXPECT_TRUE(std::equal(kept.begin(), kept.end(), twice.begin()));
  EXPECT_EQ(apply({}, *encode({}, twice), 1 << 20).value(), twice);
}

TEST(DeltaApply, RefusesWhatDoesNotFit) {
  const Example e = example(Profile::standard);
  EXPECT_EQ(apply(e.target, e.patch, 1 << 20).error().code, Code::wrong_base);
  EXPECT_EQ(apply(e.base, e.patch, 10).error().code, Code::no_space);
}

TEST(DeltaDecoder, RefusesAnInPlacePatchThatReadsWhatItHasOverwritten) {
  Bytes base(5 * 4096);
  std::mt19937 random(23);
  for (auto& byte : base) byte = static_cast<std::uint8_t>(random());
  Bytes target = base;
  target.insert(target.begin(), 5000, 'n');
  EncodeOptions options;
  options.in_place = true;
  options.block_log2 = 12;
  Bytes patch = *encode(base, target, options);
  Device device{base};
  ASSERT_EQ(decode(device, patch, 700), Status::done);
  ASSERT_EQ(patch[88], 2) << "moved by two blocks";
  patch[88] = 1;
  Device late{base};
  EXPECT_EQ(decode(late, patch, 700), Status::out_of_reach);
  EXPECT_FALSE(late.out_of_bounds);
  patch[88] = 6;
  EXPECT_EQ(decode(device, patch, 700), Status::bad_header) << "more than the whole base";
  patch[88] = 2;
  patch[6] = 11;
  EXPECT_EQ(decode(device, patch, 700), Status::bad_header);
}

TEST(DeltaInspect, PartsCoverTheTarget) {
  const Example e = example(Profile::standard);
  EXPECT_TRUE(inspect(e.patch, nullptr)->parts.empty());
  const auto seen = inspect(e.patch, &e.base);
  ASSERT_TRUE(seen.has_value());
  std::uint64_t at = 0;
  bool residual = false;
  for (const auto& part : seen->parts) {
    EXPECT_EQ(part.offset, at);
    at += part.target_bytes;
    residual = residual || part.mode == "residual";
  }
  EXPECT_EQ(at, e.target.size());
  EXPECT_TRUE(residual);
}

}  // namespace
}  // namespace hone::delta
