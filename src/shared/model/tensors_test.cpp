#include "shared/model/tensors.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace hone::model {
namespace {

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
  return out;
}
std::string number(unsigned field, std::uint64_t value) { return varint(field << 3) + varint(value); }
std::string part(unsigned field, const std::string& bytes) {
  return varint(field << 3 | 2) + varint(bytes.size()) + bytes;
}

std::string onnx_with(const std::string& initializer) {
  return number(1, 8) + part(7, part(2, "graph") + part(5, initializer));
}

TEST(OnnxTensors, FindsRawData) {
  const std::string data(24, 'w');
  const std::string file = onnx_with(number(1, 2) + number(1, 3) + number(2, 1) + part(8, "weight") + part(9, data));
  const auto map = find_tensors(as_bytes(file));
  EXPECT_EQ(map.container, Container::onnx);
  ASSERT_EQ(map.tensors.size(), 1u);
  EXPECT_EQ(map.tensors[0].name, "weight");
  EXPECT_EQ(map.tensors[0].type, ElementType::f32);
  EXPECT_EQ(map.tensors[0].shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(file.substr(map.tensors[0].offset, map.tensors[0].bytes), data);
}

TEST(OnnxTensors, FindsTypedFloatDataAndPackedShape) {
  const std::string data(8, 'f');
  const std::string file = onnx_with(part(1, varint(2)) + number(2, 1) + part(4, data) + part(8, "bias"));
  const auto map = find_tensors(as_bytes(file));
  ASSERT_EQ(map.tensors.size(), 1u);
  EXPECT_EQ(map.tensors[0].shape, (std::vector<std::int64_t>{2}));
  EXPECT_EQ(file.substr(map.tensors[0].offset, 8), data);
}

TEST(OnnxTensors, FindsConstantsInSubgraphs) {
  const std::string tensor = number(1, 4) + number(2, 10) + part(9, std::string(8, 'h'));
  const std::string inner = part(1, part(5, part(1, "value") + part(5, tensor)));
  const std::string file = number(1, 8) + part(7, part(1, part(5, part(1, "then") + part(6, inner))));
  const auto map = find_tensors(as_bytes(file));
  ASSERT_EQ(map.tensors.size(), 1u);
  EXPECT_EQ(map.tensors[0].type, ElementType::f16);
}

TEST(OnnxTensors, ExternalDataIsNotInTheFile) {
  const std::string file = onnx_with(number(2, 1) + part(9, "abcd") + number(14, 1));
  EXPECT_TRUE(find_tensors(as_bytes(file)).tensors.empty());
}

TEST(Tensors, AnythingElseHasNone) {
  EXPECT_TRUE(find_tensors({}).tensors.empty());
  EXPECT_TRUE(find_tensors(as_bytes("a text that is no model at all")).tensors.empty());
}

TEST(Tensors, StayInsideTheFileWhateverItHolds) {
  const std::string good = onnx_with(number(1, 2) + number(2, 1) + part(8, "w") + part(9, std::string(64, 'x')));
  std::mt19937 random(5);
  for (int round = 0; round < 20000; ++round) {
    std::string bad = good;
    for (int edits = 0; edits < 3; ++edits) bad[random() % bad.size()] = static_cast<char>(random());
    bad.resize(bad.size() - random() % 8);
    std::uint64_t end = 0;
    for (const auto& tensor : find_tensors(as_bytes(bad)).tensors) {
      EXPECT_GE(tensor.offset, end);
      end = tensor.offset + tensor.bytes;
      EXPECT_LE(end, bad.size());
    }
  }
}

}  // namespace
}  // namespace hone::model
