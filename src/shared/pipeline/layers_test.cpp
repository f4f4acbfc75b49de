#include "shared/pipeline/layers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hone {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Shape = std::vector<std::int64_t>;

wire::Signal images(std::int64_t side, std::size_t labels) {
  wire::Signal signal{{1, side, side}, wire::DType::uint8, 1.0, {}};
  for (std::size_t i = 0; i < labels; ++i) signal.labels.push_back(std::to_string(i));
  return signal;
}

std::vector<Layer> layers_of(const std::vector<std::string>& texts) {
  std::vector<Layer> layers;
  for (const std::string& text : texts) layers.push_back(parse_layer(text).value());
  return layers;
}

std::string refusal(const wire::Signal& signal, const std::vector<std::string>& texts) {
  const auto shapes = shapes_of(signal, layers_of(texts));
  return shapes ? "accepted" : shapes.error().context;
}

TEST(Layers, TextOfALayerIsCanonical) {
  for (const char* text : {"conv 16 3x3", "conv 1 1x5", "maxpool 2", "relu", "dense 128", "dropout 0.2"})
    EXPECT_EQ(to_text(parse_layer(text).value()), text);
  EXPECT_EQ(to_text(parse_layer("  conv   16  3x3 ").value()), "conv 16 3x3");
}

TEST(Layers, RefusesWhatIsNoLayer) {
  for (const char* text : {"",
                           " ",
                           "conv",
                           "conv 16",
                           "conv 16 3",
                           "conv 0 3x3",
                           "conv 16 2x3",
                           "conv 16 3x4",
                           "conv 16 0x3",
                           "conv 16 3x",
                           "conv 16 32x32",
                           "conv 16 3x3 2",
                           "conv -1 3x3",
                           "conv 99999999999999999999 3x3",
                           "maxpool",
                           "maxpool 0",
                           "maxpool 2 2",
                           "dense",
                           "dense 1.5",
                           "dense 0",
                           "dropout",
                           "dropout 0",
                           "dropout 1",
                           "dropout nan",
                           "relu 2",
                           "batchnorm"})
    EXPECT_FALSE(parse_layer(text)) << text;
  EXPECT_THAT(parse_layer("batchnorm").error().context, HasSubstr("known are: conv"));
  EXPECT_THAT(parse_layer("conv 16 3").error().context, HasSubstr("'conv 16 3' must read like 'conv 16 3x3'"));
}

TEST(Layers, ShapesFlowThroughTheMnistNetwork) {
  const auto shapes = shapes_of(images(28, 10), layers_of({"conv 16 3x3", "relu", "maxpool 2", "conv 32 3x3", "relu",
                                                           "maxpool 2", "dense 128", "relu", "dense 10"}));
  ASSERT_TRUE(shapes) << shapes.error().context;
  EXPECT_THAT(*shapes, ElementsAre(Shape{16, 28, 28}, Shape{16, 28, 28}, Shape{16, 14, 14}, Shape{32, 14, 14},
                                   Shape{32, 14, 14}, Shape{32, 7, 7}, Shape{128}, Shape{128}, Shape{10}));
}

TEST(Layers, SaysWhichLayerGetsTooLittle) {
  EXPECT_EQ(refusal(images(5, 2), {"maxpool 2", "relu", "maxpool 3", "dense 2"}),
            "layer 3 'maxpool 3' would need at least 3x3 input, gets 2x2");
  EXPECT_EQ(refusal(images(3, 2), {"maxpool 4", "dense 2"}),
            "layer 1 'maxpool 4' would need at least 4x4 input, gets 3x3");
}

TEST(Layers, ConvolutionsNeedAnImage) {
  EXPECT_THAT(refusal(images(8, 2), {"dense 64", "conv 4 3x3", "dense 2"}),
              HasSubstr("layer 2 'conv 4 3x3' comes after a dense layer"));
  wire::Signal flat = images(8, 2);
  flat.shape = {64};
  EXPECT_THAT(refusal(flat, {"conv 4 3x3", "dense 2"}), HasSubstr("[channels, height, width]"));
  EXPECT_EQ(refusal(flat, {"dense 4", "dropout 0.5", "dense 2"}), "accepted");
}

TEST(Layers, LastOneHasAnOutputForEachLabel) {
  EXPECT_THAT(refusal(images(8, 3), {"dense 2"}), HasSubstr("must be 'dense 3'"));
  EXPECT_THAT(refusal(images(8, 3), {"dense 3", "relu"}), HasSubstr("layer 2 'relu' must be 'dense 3'"));
  EXPECT_THAT(refusal(images(8, 3), {}), HasSubstr("1 to 64 layers"));
}

TEST(Layers, BoundsTheWeights) {
  EXPECT_THAT(refusal(images(2048, 2), {"dense 65536", "dense 2"}), HasSubstr("67108864 weights"));
}

}  // namespace
}  // namespace hone
