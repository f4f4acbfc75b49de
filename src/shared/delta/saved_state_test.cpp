// Pausing a decoder, saving it, and going on in another process: at every place of the target, with
// input in pieces of any size. And states that are damaged or hostile.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "shared/delta/decode/decoder.hpp"
#include "shared/delta/device_for_test.hpp"
#include "shared/delta/encode/encode.hpp"
#include "shared/delta/format/checksum.hpp"

namespace hone::delta {
namespace {

struct Case {
  std::string name;
  Bytes base;
  Bytes target;
  Bytes patch;
};

Bytes read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The golden files have every operation that there is.
std::vector<Case> golden_cases() {
  std::vector<Case> cases;
  const std::filesystem::path folder = HONE_GOLDEN_FOLDER;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().stem().string();
    if (entry.path().extension() != ".delta" || name.find(".bad") != std::string::npos) continue;
    const std::string target = name.substr(0, name.rfind('-'));
    cases.push_back({name, read(folder / (name.substr(0, name.find_first_of("-.")) + ".base")),
                     read(folder / (target + ".target")), read(entry.path())});
  }
  std::sort(cases.begin(), cases.end(), [](const Case& a, const Case& b) { return a.name < b.name; });
  return cases;
}

// Larger than the decoder's buffers: floats at an odd place, of which some changed, with bytes inserted,
// then a long repeat of the target's own bytes.
Case large_case(Profile profile) {
  std::mt19937 random(31);
  std::normal_distribution<float> normal(0, 0.05f);
  std::vector<float> weights(40'000);
  for (float& w : weights) w = normal(random);
  const auto file = [&](const std::string& head) {
    Bytes bytes = to_bytes(head);
    bytes.resize(bytes.size() + weights.size() * 4);
    std::memcpy(bytes.data() + head.size(), weights.data(), weights.size() * 4);
    return bytes;
  };
  Case made{"large", file("one"), {}, {}};
  for (std::size_t i = 0; i < weights.size() / 2; ++i) weights[i] += 1e-4f * normal(random);
  made.target = file("another");
  const Bytes again(made.target.begin() + 5, made.target.begin() + 70'000);
  made.target.insert(made.target.end(), again.begin(), again.end());
  EncodeOptions options;
  options.profile = profile;
  options.effort = 3;
  made.patch = *encode(made.base, made.target, options);
  return made;
}

// A decoder with its workspace, which begins at another place each time.
struct Session {
  std::vector<std::uint8_t> memory;
  std::uint8_t* workspace;
  std::size_t room;
  std::unique_ptr<Decoder> decoder = std::make_unique<Decoder>();

  Session(Profile profile, std::size_t skip)
      : memory(Decoder::workspace_bytes(profile) + skip, 0xA5), workspace(memory.data() + skip), room(memory.size() - skip) {}
};

Profile profile_of(const Case& c) { return static_cast<Profile>(c.patch[5]); }

Bytes saved(Decoder& decoder) {
  Bytes state;
  EXPECT_EQ(decoder.save(&state,
                         [](void* to, const std::uint8_t* bytes, std::size_t count) {
                           static_cast<Bytes*>(to)->insert(static_cast<Bytes*>(to)->end(), bytes, bytes + count);
                           return true;
                         }),
            Status::ok);
  EXPECT_EQ(state.size(), Decoder::state_bytes(decoder.header().profile));
  return state;
}

Status restore(Session& session, TestDevice& device, const Bytes& state) {
  ByteView left = state;
  return session.decoder->restore(device.callbacks(), session.workspace, session.room, 1 << 24, &left,
                                  [](void* from, std::uint8_t* bytes, std::size_t count) {
                                    auto& rest = *static_cast<ByteView*>(from);
                                    if (rest.size() < count) return false;
                                    std::copy_n(rest.begin(), count, bytes);
                                    rest = rest.subspan(count);
                                    return true;
                                  });
}

// Feeds in random pieces until the end or a pause.
Status run(Decoder& decoder, const Bytes& patch, std::mt19937& random, std::size_t piece_max) {
  while (decoder.status() == Status::ok && decoder.consumed() < patch.size()) {
    const auto at = static_cast<std::size_t>(decoder.consumed());
    (void)decoder.feed(patch.data() + at, std::min<std::size_t>(1 + random() % piece_max, patch.size() - at));
  }
  return decoder.status() == Status::ok ? decoder.finish() : decoder.status();
}

// Stops each `step` bytes, saves, throws the decoder away, goes on in another.
void interrupt(const Case& c, std::uint64_t step, std::size_t piece_max, std::uint_fast32_t seed) {
  SCOPED_TRACE(c.name + ", every " + std::to_string(step) + " bytes, pieces to " + std::to_string(piece_max));
  std::mt19937 random(seed);
  TestDevice device{c.base};
  auto session = std::make_unique<Session>(profile_of(c), random() % 16);
  ASSERT_EQ(session->decoder->init(device.callbacks(), session->workspace, session->room, 1 << 24), Status::ok);
  std::uint64_t next = step;
  ASSERT_EQ(session->decoder->pause_at(next), Status::ok);
  for (;;) {
    const Status status = run(*session->decoder, c.patch, random, piece_max);
    if (status == Status::done) break;
    ASSERT_EQ(status, Status::paused);
    ASSERT_EQ(device.written.size(), next);
    ASSERT_EQ(session->decoder->written_out(), next);
    const Bytes state = saved(*session->decoder);
    auto other = std::make_unique<Session>(profile_of(c), random() % 16);
    ASSERT_EQ(restore(*other, device, state), Status::ok);
    ASSERT_EQ(other->decoder->consumed(), session->decoder->consumed());
    session = std::move(other);
    // An object may move as long as its workspace stays.
    session->decoder = std::make_unique<Decoder>(*session->decoder);
    while (session->decoder->pause_at(next += step) == Status::misuse) {
    }
  }
  EXPECT_EQ(device.written, c.target);
  EXPECT_FALSE(device.out_of_bounds);
}

TEST(DeltaSavedState, GoesOnFromEveryPlace) {
  for (const Case& c : golden_cases()) {
    // A save of the standard profile moves a megabyte: fewer of them there.
    const std::uint64_t stops = profile_of(c) == Profile::small ? 400 : 40;
    for (const std::uint64_t step : {1 + c.target.size() / stops, 2 + c.target.size() / 7})
      for (const std::size_t piece_max : {1u, 40u, 5000u}) interrupt(c, step, piece_max, 1);
  }
}

TEST(DeltaSavedState, GoesOnWithinElementsAndLongMatches) {
  const Case small = large_case(Profile::small);
  for (const std::uint64_t step : {511u, 512u, 4096u, 65'536u, 100'001u}) interrupt(small, step, 3000, 2);
  const Case standard = large_case(Profile::standard);
  for (const std::uint64_t step : {4097u, 32'768u, 100'001u}) interrupt(standard, step, 3000, 3);
}

TEST(DeltaSavedState, IsTakenBetweenFeedsToo) {
  std::mt19937 random(4);
  const Case c = large_case(Profile::small);
  TestDevice device{c.base};
  auto session = std::make_unique<Session>(Profile::small, 0);
  ASSERT_EQ(session->decoder->init(device.callbacks(), session->workspace, session->room, 1 << 24), Status::ok);
  while (session->decoder->consumed() < c.patch.size()) {
    const auto at = static_cast<std::size_t>(session->decoder->consumed());
    ASSERT_EQ(session->decoder->feed(c.patch.data() + at, std::min<std::size_t>(1 + random() % 900, c.patch.size() - at)), Status::ok);
    if (session->decoder->consumed() < kHeaderBytes) {
      EXPECT_EQ(session->decoder->save(nullptr, nullptr), Status::misuse) << "there is nothing to go on from";
      continue;
    }
    const Bytes state = saved(*session->decoder);
    EXPECT_EQ(device.written.size(), session->decoder->written());
    session = std::make_unique<Session>(Profile::small, random() % 16);
    ASSERT_EQ(restore(*session, device, state), Status::ok);
  }
  EXPECT_EQ(session->decoder->finish(), Status::done);
  EXPECT_EQ(device.written, c.target);
}

TEST(DeltaSavedState, PausesWithoutASave) {
  std::mt19937 random(5);
  for (const Case& c : golden_cases()) {
    TestDevice device{c.base};
    Session session(profile_of(c), 3);
    ASSERT_EQ(session.decoder->init(device.callbacks(), session.workspace, session.room, 1 << 24), Status::ok);
    std::uint64_t next = 0;
    do {
      while (session.decoder->pause_at(next += 1 + random() % 300) == Status::misuse) {
      }
      (void)run(*session.decoder, c.patch, random, 700);
      EXPECT_EQ(device.written.size(), std::min<std::uint64_t>(next, c.target.size())) << c.name;
    } while (session.decoder->status() == Status::paused);
    EXPECT_EQ(session.decoder->status(), Status::done) << c.name;
    EXPECT_EQ(device.written, c.target) << c.name;
  }
}

TEST(DeltaSavedState, APauseBehindIsRefused) {
  std::mt19937 random(6);
  const Case c = large_case(Profile::small);
  TestDevice device{c.base};
  Session session(Profile::small, 0);
  EXPECT_EQ(session.decoder->pause_at(5), Status::misuse) << "before init";
  ASSERT_EQ(session.decoder->init(device.callbacks(), session.workspace, session.room, 1 << 24), Status::ok);
  EXPECT_EQ(session.decoder->pause_at(0), Status::misuse);
  ASSERT_EQ(session.decoder->pause_at(5000), Status::ok);
  ASSERT_EQ(run(*session.decoder, c.patch, random, 700), Status::paused);
  EXPECT_EQ(session.decoder->feed(c.patch.data(), 1), Status::paused) << "nothing is taken while it is paused";
  EXPECT_EQ(session.decoder->pause_at(5000), Status::misuse);
  EXPECT_EQ(session.decoder->status(), Status::paused);
  ASSERT_EQ(session.decoder->pause_at(kNoPause), Status::ok);
  EXPECT_EQ(run(*session.decoder, c.patch, random, 700), Status::done);
  EXPECT_EQ(device.written, c.target);
}

// A state from the middle of a case, and what was written by then.
struct Middle {
  Case c;
  Bytes state;
  Bytes written;
};
Middle middle(Profile profile, std::uint64_t at) {
  std::mt19937 random(7);
  Middle made{large_case(profile), {}, {}};
  TestDevice device{made.c.base};
  Session session(profile, 0);
  EXPECT_EQ(session.decoder->init(device.callbacks(), session.workspace, session.room, 1 << 24), Status::ok);
  EXPECT_EQ(session.decoder->pause_at(at), Status::ok);
  EXPECT_EQ(run(*session.decoder, made.c.patch, random, 1000), Status::paused);
  made.state = saved(*session.decoder);
  made.written = device.written;
  return made;
}

TEST(DeltaSavedState, ADamagedStateIsRefused) {
  std::mt19937 random(8);
  const Middle m = middle(Profile::small, 70'001);
  for (std::size_t at = 0; at < m.state.size(); at += 1 + random() % 23) {
    Bytes bad = m.state;
    bad[at] ^= static_cast<std::uint8_t>(1u << random() % 8);
    TestDevice device{m.c.base, m.written};
    Session session(Profile::small, 0);
    EXPECT_EQ(restore(session, device, bad), Status::bad_state) << at;
    bad = m.state;
    bad.resize(at);
    EXPECT_EQ(restore(session, device, bad), Status::bad_state) << at;
    EXPECT_EQ(session.decoder->feed(m.c.patch.data(), 10), Status::bad_state);
    EXPECT_FALSE(device.out_of_bounds);
  }
}

TEST(DeltaSavedState, AStateOfAnotherProfileOrATooLargeTargetIsRefused) {
  const Middle m = middle(Profile::standard, 70'001);
  TestDevice device{m.c.base, m.written};
  Session session(Profile::small, 0);
  EXPECT_EQ(restore(session, device, m.state), Status::workspace_too_small);
  ByteView left = m.state;
  Session standard(Profile::standard, 0);
  EXPECT_EQ(standard.decoder->restore(device.callbacks(), standard.workspace, standard.room, 1000, &left,
                                      [](void* from, std::uint8_t* bytes, std::size_t count) {
                                        auto& rest = *static_cast<ByteView*>(from);
                                        std::copy_n(rest.begin(), count, bytes);
                                        rest = rest.subspan(count);
                                        return true;
                                      }),
            Status::target_too_large);
}

// Whoever can write the state can write the target; still no bound may break, and the end must come.
TEST(DeltaSavedState, AHostileStateWithARightChecksumBreaksNoBound) {
  std::mt19937 random(9);
  for (const std::uint64_t at : {3u, 70'001u, 200'000u}) {
    const Middle m = middle(Profile::small, at);
    int refused = 0;
    for (int round = 0; round < 400; ++round) {
      Bytes bad = m.state;
      for (auto edits = 1 + random() % 4; edits > 0; --edits) {
        const std::size_t where = random() % (round % 2 == 0 ? 700 : bad.size() - 8);
        bad[where] = static_cast<std::uint8_t>(random() % 3 == 0 ? 255 : random());
      }
      Checksum sum;
      sum.add(bad.data(), bad.size() - 8);
      for (int i = 0; i < 8; ++i) bad[bad.size() - 8 + i] = static_cast<std::uint8_t>(sum.value() >> (8 * i));
      TestDevice device{m.c.base, m.written};
      Session session(Profile::small, 0);
      const Status status = restore(session, device, bad);
      // What a state says of sizes may be a lie, too: then a callback is asked for what is not there.
      const bool lies = session.decoder->header().base_bytes > m.c.base.size() ||
                        session.decoder->written_out() > m.written.size();
      EXPECT_TRUE(lies || !device.out_of_bounds) << round;
      if (status != Status::ok) {
        ++refused;
        continue;
      }
      const auto rest = ByteView(m.c.patch).subspan(std::min<std::size_t>(session.decoder->consumed(), m.c.patch.size()));
      (void)session.decoder->feed(rest.data(), rest.size());
      const Status end = session.decoder->finish();
      EXPECT_TRUE(end != Status::done || device.written == m.c.target);
      EXPECT_TRUE(lies || !device.out_of_bounds) << round;
    }
    EXPECT_GT(refused, 40);
  }
}

TEST(DeltaSavedState, ATargetThatChangedMeanwhileIsSeen) {
  std::mt19937 random(10);
  const Middle m = middle(Profile::small, 70'001);
  for (const std::size_t at : {0u, 69'999u}) {
    TestDevice device{m.c.base, m.written};
    device.written[at] ^= 1;
    Session session(Profile::small, 0);
    ASSERT_EQ(restore(session, device, m.state), Status::ok);
    EXPECT_EQ(run(*session.decoder, m.c.patch, random, 1000), Status::wrong_target);
  }
  TestDevice shorter{m.c.base, Bytes(m.written.begin(), m.written.end() - 1)};
  Session session(Profile::small, 0);
  EXPECT_EQ(restore(session, shorter, m.state), Status::io_target);
}

TEST(DeltaChecksum, DoesNotDependOnPieces) {
  std::mt19937 random(11);
  Bytes bytes(1000);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  Checksum whole;
  whole.add(bytes.data(), bytes.size());
  for (int round = 0; round < 50; ++round) {
    Checksum pieces;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t count = std::min<std::size_t>(random() % 20, bytes.size() - at);
      pieces.add(bytes.data() + at, count);
      at += count;
    }
    EXPECT_EQ(pieces.value(), whole.value());
  }
  Checksum longer = whole;
  longer.add(Bytes(1, 0).data(), 1);
  EXPECT_NE(longer.value(), whole.value()) << "zeros at the end count";
}

}  // namespace
}  // namespace hone::delta
