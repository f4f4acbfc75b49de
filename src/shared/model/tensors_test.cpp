#include "shared/model/tensors.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

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

std::string little(std::uint64_t value, unsigned width) {
  std::string out;
  for (unsigned i = 0; i < width; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}
std::string text(const std::string& s) { return "X" + little(s.size(), 4) + s; }
std::string tuple(const std::vector<int>& numbers) {
  std::string out = "(";
  for (const int n : numbers) out += "K" + little(static_cast<std::uint64_t>(n), 1);
  return out + "t";
}
// As torch.save writes a tensor, in protocol 2.
std::string pickled(const std::string& key, const std::string& storage, int offset, const std::vector<int>& shape, const std::vector<int>& strides) {
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\n" + storage + "\n" + text(key) + text("cpu") + "K\x40tQK" +
         little(static_cast<std::uint64_t>(offset), 1) + tuple(shape) + tuple(strides) + "\x89" + "ccollections\nOrderedDict\n)RtR";
}
std::string state_dict(const std::vector<std::pair<std::string, std::string>>& tensors) {
  std::string out = std::string("\x80\x02", 2) + "ccollections\nOrderedDict\n)Rq" + std::string(1, '\0') + "(";
  for (const auto& [name, tensor] : tensors) out += text(name) + tensor;
  return out + "u.";
}
std::string zip(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string out;
  std::string central;
  for (const auto& [name, data] : entries) {
    const std::string sizes = little(0, 4) + little(data.size(), 4) + little(data.size(), 4) + little(name.size(), 2);
    central += "PK\1\2" + little(20, 2) + little(20, 2) + little(0, 8) + sizes + little(0, 2) + little(0, 2) + little(0, 8) + little(out.size(), 4) + name;
    out += "PK\3\4" + little(20, 2) + little(0, 8) + sizes + little(3, 2) + name + "pad" + data;
  }
  const std::size_t at = out.size();
  return out + central + "PK\5\6" + little(0, 4) + little(entries.size(), 2) + little(entries.size(), 2) + little(central.size(), 4) + little(at, 4) + little(0, 2);
}
const std::vector<std::pair<std::string, std::string>> kState{{"fc.weight", pickled("0", "FloatStorage", 0, {2, 3}, {3, 1})},
                                                              {"fc.bias", pickled("0", "FloatStorage", 6, {2}, {1})},
                                                              {"half", pickled("1", "HalfStorage", 0, {4}, {1})}};

TEST(PytorchTensors, ComeWithNamesFromTheZipsPickle) {
  const std::string floats = "aaaabbbbccccddddeeeeffffgggghhhh";
  const std::string file = zip({{"m/data.pkl", state_dict(kState)}, {"m/data/0", floats}, {"m/data/1", "12345678"}, {"m/version", "3"}});
  const auto map = find_tensors(as_bytes(file));
  EXPECT_EQ(map.container, Container::pytorch);
  ASSERT_EQ(map.tensors.size(), 3u);
  EXPECT_EQ(map.tensors[0].name, "fc.weight");
  EXPECT_EQ(map.tensors[0].shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(map.tensors[0].type, ElementType::f32);
  EXPECT_EQ(file.substr(map.tensors[0].offset, map.tensors[0].bytes), floats.substr(0, 24));
  EXPECT_EQ(map.tensors[1].name, "fc.bias");
  EXPECT_EQ(file.substr(map.tensors[1].offset, map.tensors[1].bytes), floats.substr(24));
  EXPECT_EQ(map.tensors[2].type, ElementType::f16);
  EXPECT_EQ(file.substr(map.tensors[2].offset, map.tensors[2].bytes), "12345678");
}

TEST(PytorchTensors, AreTheWholeStoragesWhereThePickleIsNotUnderstood) {
  std::string floats;
  for (int i = 0; i < 64; ++i) floats += little(0x3D000000u + 0x12345u * static_cast<unsigned>(i), 4);
  const auto map = find_tensors(as_bytes(zip({{"m/data.pkl", "\x80\x02~."}, {"m/data/0", floats}})));
  ASSERT_EQ(map.tensors.size(), 1u);
  EXPECT_EQ(map.tensors[0].bytes, floats.size());
  EXPECT_EQ(map.tensors[0].type, ElementType::f32);
}

TEST(PytorchTensors, StandBehindThePicklesInLegacyFiles) {
  const std::string two("\x80\x02", 2);
  const std::string file = two + "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19." + two + "M\xe9\x03." + two + "}." + state_dict(kState) + two + "](" +
                           text("0") + text("1") + "e." + little(8, 8) + std::string(32, 'f') + little(4, 8) + "12345678";
  const auto map = find_tensors(as_bytes(file));
  EXPECT_EQ(map.container, Container::pytorch);
  ASSERT_EQ(map.tensors.size(), 3u);
  EXPECT_EQ(map.tensors[1].name, "fc.bias");
  EXPECT_EQ(file.substr(map.tensors[2].offset, map.tensors[2].bytes), "12345678");
}

TEST(NumpyTensors, AreFoundAloneAndInArchives) {
  const std::string header = "{'descr': '<f2', 'fortran_order': False, 'shape': (3, 5), }\n";
  const std::string npy = std::string("\x93NUMPY\1\0", 8) + little(header.size(), 2) + header + std::string(30, 'n');
  const auto alone = find_tensors(as_bytes(npy));
  EXPECT_EQ(alone.container, Container::numpy);
  ASSERT_EQ(alone.tensors.size(), 1u);
  EXPECT_EQ(alone.tensors[0].shape, (std::vector<std::int64_t>{3, 5}));
  EXPECT_EQ(alone.tensors[0].type, ElementType::f16);
  const std::string file = zip({{"a.npy", npy}, {"b.npy", npy}});
  const auto both = find_tensors(as_bytes(file));
  ASSERT_EQ(both.tensors.size(), 2u);
  EXPECT_EQ(both.tensors[1].name, "b");
  EXPECT_EQ(file.substr(both.tensors[1].offset, both.tensors[1].bytes), std::string(30, 'n'));
}

TEST(Tensors, AreFoundInTheFilesFromWhichFuzzingStarts) {
  const auto count = [](const char* name) {
    std::ifstream in(std::string(HONE_CORPUS_FOLDER) + "/" + name, std::ios::binary);
    const std::string file{std::istreambuf_iterator<char>(in), {}};
    return find_tensors(as_bytes(file)).tensors.size();
  };
  EXPECT_EQ(count("tflite/one"), 1u);
  EXPECT_EQ(count("onnx/raw"), 2u);
  EXPECT_EQ(count("safetensors/two"), 2u);
  EXPECT_EQ(count("pytorch/state.pt"), 2u);  // the third lies within the first
  EXPECT_EQ(count("pytorch/unread.pt"), 1u);
  EXPECT_EQ(count("pytorch_legacy/state.pth"), 2u);
  EXPECT_EQ(count("numpy/arrays.npz"), 2u);
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
