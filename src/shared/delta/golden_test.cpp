// The golden files: what an older hone wrote must decode for ever, what is bad must be refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "shared/delta/apply.hpp"

namespace hone::delta {
namespace {

Bytes read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(DeltaGolden, EveryFileDecodesOrIsRefused) {
  const std::filesystem::path folder = HONE_GOLDEN_FOLDER;
  int good = 0;
  int bad = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".delta") continue;
    const std::string name = entry.path().stem().string();
    const Bytes base = read(folder / (name.substr(0, name.find_first_of("-.")) + ".base"));
    const auto target = apply(base, read(entry.path()), 1 << 20);
    if (name.find(".bad") != std::string::npos) {
      ++bad;
      EXPECT_FALSE(target.has_value()) << name;
    } else {
      ++good;
      ASSERT_TRUE(target.has_value()) << name << ": " << target.error().context;
      EXPECT_EQ(*target, read(folder / (name.substr(0, name.rfind('-')) + ".target"))) << name;
    }
  }
  EXPECT_GE(good, 16);
  EXPECT_GE(bad, 10);
}

}  // namespace
}  // namespace hone::delta
