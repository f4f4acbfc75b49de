#include "shared/trust/key.hpp"

#include <gtest/gtest.h>

#include "platform/sim/sim.hpp"

namespace hone::trust {
namespace {

// RFC 8032, section 7.1, TEST 2.
constexpr std::string_view kSeed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
constexpr std::string_view kPublic = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
constexpr std::string_view kSignature =
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

TEST(Key, SignsAsRfc8032Says) {
  const auto key = SigningKey::from_seed(*from_hex(kSeed));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->public_key().public_value, kPublic);
  EXPECT_EQ(to_hex(key->sign(*from_hex("72"))), kSignature);
  EXPECT_TRUE(is_signed_by(key->public_key(), *from_hex("72"), *from_hex(kSignature)));
}

TEST(Key, RefusesAnotherMessageSignatureOrKey) {
  platform::SimRandom random(1);
  const auto key = SigningKey::generate(random);
  const auto other = SigningKey::generate(random);
  Bytes signature = key.sign(as_bytes("yes"));
  EXPECT_TRUE(is_signed_by(key.public_key(), as_bytes("yes"), signature));
  EXPECT_FALSE(is_signed_by(key.public_key(), as_bytes("no"), signature));
  EXPECT_FALSE(is_signed_by(other.public_key(), as_bytes("yes"), signature));
  EXPECT_FALSE(is_signed_by(key.public_key(), as_bytes("yes"), {}));
  signature[5] ^= 1;
  EXPECT_FALSE(is_signed_by(key.public_key(), as_bytes("yes"), signature));
}

TEST(Key, IdIsTheHashOfTheCanonicalKey) {
  const auto key = SigningKey::from_seed(*from_hex(kSeed));
  const std::string canonical =
      R"({"keytype":"ed25519","keyval":{"public":")" + std::string(kPublic) + R"("},"scheme":"ed25519"})";
  EXPECT_EQ(key->id().value, sha256(as_bytes(canonical)).hex());
}

TEST(Key, SurvivesJson) {
  const auto key = SigningKey::from_seed(*from_hex(kSeed));
  const auto back = public_key_from(to_json(key->public_key()));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, key->public_key());
}

TEST(Key, OfAnotherSchemeIsKeptAndVerifiesNothing) {
  const auto key =
      public_key_from({{"keytype", "ecdsa"}, {"scheme", "ecdsa-sha2-nistp256"}, {"keyval", {{"public", "x"}}}});
  ASSERT_TRUE(key);
  EXPECT_FALSE(is_signed_by(*key, as_bytes("m"), Bytes(kSignatureBytes)));
}

TEST(Key, MalformedIsRefused) {
  EXPECT_FALSE(public_key_from({{"keytype", "ed25519"}, {"scheme", "ed25519"}, {"keyval", {{"public", "abcd"}}}}));
  EXPECT_FALSE(public_key_from({{"keytype", "ed25519"}, {"scheme", "ed25519"}}));
  EXPECT_FALSE(SigningKey::from_seed(Bytes(31)));
}

}  // namespace
}  // namespace hone::trust
