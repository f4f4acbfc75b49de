#include "cloud/service/registry.hpp"

#include <gtest/gtest.h>

#include "platform/sim/sim.hpp"

namespace hone::cloud {
namespace {

struct RegistryTest : ::testing::Test {
  void write(const std::string& path, const std::string& text) {
    ASSERT_TRUE(write_file_atomically(files, path, as_bytes(text)).has_value());
  }
  Result<std::unique_ptr<Registry>> open(const std::vector<std::string>& paths) {
    return Registry::open(files, paths, [this](const Pipeline& p) -> Result<> {
      if (p.name.value == refused) return fail(Code::invalid, "does not go with what is stored");
      return {};
    });
  }
  platform::SimFiles files;
  std::string refused;
};

TEST_F(RegistryTest, ReadsEachFileAndFindsByName) {
  write("a.toml", pipeline_template("apples"));
  write("b.toml", pipeline_template("birds"));
  const auto registry = open({"a.toml", "b.toml"});
  ASSERT_TRUE(registry.has_value()) << registry.error().context;
  EXPECT_EQ((*registry)->find("birds").value()->name.value, "birds");
  const auto unknown = (*registry)->find("cats");
  EXPECT_EQ(unknown.error().code, Code::not_found);
  EXPECT_NE(unknown.error().context.find("apples"), std::string::npos) << "says what there is";
}

TEST_F(RegistryTest, DoesNotStartOnABrokenFile) {
  write("a.toml", "[pipeline");
  EXPECT_EQ(open({"a.toml"}).error().code, Code::invalid);
  EXPECT_EQ(open({"missing.toml"}).error().code, Code::not_found);
  write("b.toml", pipeline_template("birds"));
  EXPECT_EQ(open({"b.toml", "b.toml"}).error().code, Code::invalid) << "one name, two files";
  refused = "birds";
  EXPECT_EQ(open({"b.toml"}).error().code, Code::invalid);
}

TEST_F(RegistryTest, TakesUpAnEditAndKeepsTheOldOneWhenItIsBroken) {
  const std::string good = pipeline_template("birds");
  write("b.toml", good);
  const auto registry = open({"b.toml"}).value();
  EXPECT_FALSE(registry->reload());

  write("b.toml", good + "\n# a remark\n");
  EXPECT_TRUE(registry->reload());
  const auto edited = registry->find("birds").value();

  write("b.toml", good + "\nnonsense = \n");
  EXPECT_FALSE(registry->reload());
  EXPECT_EQ(registry->find("birds").value(), edited);
  EXPECT_NE(registry->all().front().file_error.find("b.toml"), std::string::npos);

  write("b.toml", pipeline_template("cats"));
  EXPECT_FALSE(registry->reload()) << "another name is no edit";
  EXPECT_FALSE(registry->all().front().file_error.empty());

  write("b.toml", good);
  EXPECT_TRUE(registry->reload());
  EXPECT_TRUE(registry->all().front().file_error.empty());
}

}  // namespace
}  // namespace hone::cloud
