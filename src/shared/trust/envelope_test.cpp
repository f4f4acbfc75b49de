#include "shared/trust/envelope.hpp"

#include <gtest/gtest.h>

#include <cctype>

#include "platform/sim/sim.hpp"

namespace hone::trust {
namespace {

class EnvelopeTest : public testing::Test {
 protected:
  platform::SimRandom random{7};
  std::vector<SigningKey> signers{SigningKey::generate(random), SigningKey::generate(random),
                                  SigningKey::generate(random)};
  Json content = {{"_type", "snapshot"}, {"version", 3}};

  std::map<KeyId, PublicKey> keys() const {
    std::map<KeyId, PublicKey> all;
    for (const auto& signer : signers) all.emplace(signer.id(), signer.public_key());
    return all;
  }
  RoleKeys role(std::int64_t threshold) const {
    return {.keys = {signers[0].id(), signers[1].id(), signers[2].id()}, .threshold = threshold};
  }
  Envelope signed_by(std::span<const SigningKey> by) const { return *envelope_from(*sign(content, by)); }
};

TEST_F(EnvelopeTest, MeetsAThresholdWithThatManyKeys) {
  EXPECT_TRUE(check_threshold(signed_by(std::span(signers).first(2)), role(2), keys(), "snapshot"));
  EXPECT_TRUE(check_threshold(signed_by(signers), role(3), keys(), "snapshot"));
}

TEST_F(EnvelopeTest, MissesAThresholdWithFewerKeys) {
  const auto checked = check_threshold(signed_by(std::span(signers).first(1)), role(2), keys(), "snapshot");
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, Code::untrusted);
  EXPECT_FALSE(check_threshold(signed_by(std::span(signers).first(0)), role(1), keys(), "snapshot"));
  EXPECT_FALSE(check_threshold(signed_by(signers), role(0), keys(), "snapshot"));
}

TEST_F(EnvelopeTest, CountsOneKeyUnderTwoIdsOnce) {
  auto all = keys();
  PublicKey shouting = signers[0].public_key();
  for (char& c : shouting.public_value) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  all[KeyId("second name")] = signers[0].public_key();
  all[KeyId("third name")] = shouting;
  Envelope envelope = signed_by(std::span(signers).first(1));
  envelope.signatures.push_back({KeyId("second name"), envelope.signatures[0].value});
  envelope.signatures.push_back({KeyId("third name"), envelope.signatures[0].value});
  RoleKeys two = role(2);
  two.keys.emplace_back("second name");
  two.keys.emplace_back("third name");
  EXPECT_FALSE(check_threshold(envelope, two, all, "snapshot"));
  two.threshold = 1;
  EXPECT_TRUE(check_threshold(envelope, two, all, "snapshot"));
}

TEST_F(EnvelopeTest, IgnoresKeysThatAreNotOfTheRole) {
  const RoleKeys only_first{.keys = {signers[0].id()}, .threshold = 1};
  EXPECT_FALSE(check_threshold(signed_by(std::span(signers).subspan(1)), only_first, keys(), "snapshot"));
}

TEST_F(EnvelopeTest, CoversFieldsThatNobodyKnows) {
  content["x-future"] = {{"a", 1}};
  Bytes bytes = *sign(content, std::span(signers).first(1));
  EXPECT_TRUE(check_threshold(*envelope_from(bytes), role(1), keys(), "snapshot"));
  Json altered = *parse_json(bytes);
  altered["signed"]["x-future"]["a"] = 2;
  EXPECT_FALSE(check_threshold(*envelope_from(dump_bytes(altered)), role(1), keys(), "snapshot"));
}

TEST_F(EnvelopeTest, DoesNotDependOnHowTheTextIsLaidOut) {
  const Json json = *parse_json(*sign(content, std::span(signers).first(1)));
  EXPECT_TRUE(check_threshold(*envelope_from(to_bytes(json.dump(4))), role(1), keys(), "snapshot"));
}

TEST_F(EnvelopeTest, RefusesTwoSignaturesWithOneId) {
  Json json = *parse_json(*sign(content, std::span(signers).first(1)));
  json["signatures"].push_back(json["signatures"][0]);
  EXPECT_FALSE(envelope_from(dump_bytes(json)));
}

TEST_F(EnvelopeTest, CountsWhatIsNoSignatureForNothing) {
  Json json = *parse_json(*sign(content, std::span(signers).first(2)));
  json["signatures"][0]["sig"] = "";
  const auto envelope = envelope_from(dump_bytes(json));
  ASSERT_TRUE(envelope);
  EXPECT_TRUE(check_threshold(*envelope, role(1), keys(), "snapshot"));
  EXPECT_FALSE(check_threshold(*envelope, role(2), keys(), "snapshot"));
}

TEST_F(EnvelopeTest, RefusesWhatIsNoEnvelope) {
  for (const std::string_view text :
       {"", "[]", "{}", R"({"signatures":{},"signed":{}})", R"({"signatures":[],"signed":1})",
        R"({"signatures":[{"sig":"00"}],"signed":{}})"}) {
    EXPECT_FALSE(envelope_from(as_bytes(text))) << text;
  }
}

}  // namespace
}  // namespace hone::trust
