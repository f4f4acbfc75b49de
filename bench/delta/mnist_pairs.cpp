// mnist_pairs MNIST_FOLDER PIPELINE_TOML OUT_FOLDER
// The showcase's update as files: the recipe of the pipeline trained on the first 10% of MNIST, then
// on 70%, warm and freely. Writes OUT_FOLDER/{mnist-fp32,mnist-int8}/{base,target}: ONNX, and the
// weights quantised to int8 after training, one step a row, as safetensors.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "shared/pipeline/pipeline.hpp"
#include "trainer/fit.hpp"
#include "trainer/onnx_writer.hpp"
#include "trainer/plan.hpp"
#include "trainer/rows.hpp"
#include "weights_file.hpp"

namespace {

using namespace hone;

constexpr std::size_t kImageHeaderBytes = 16;
constexpr std::size_t kLabelHeaderBytes = 8;
constexpr std::size_t kPixels = 28 * 28;
constexpr std::size_t kRowsFirst = 6'000;
constexpr std::size_t kRowsSecond = 42'000;

int fail_with(const std::string& what) { return std::fprintf(stderr, "mnist_pairs: %s\n", what.c_str()), 1; }

Bytes read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write(const std::filesystem::path& path, ByteView bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

Bytes int8_file(const trainer::Weights& weights) {
  bench::SafetensorsFile file;
  for (const auto& tensor : weights) {
    if (tensor.shape.size() < 2) {
      file.add(tensor.name, "F32", tensor.shape, tensor.values);
      continue;
    }
    const auto rows = bench::quantise_rows(tensor.values, static_cast<std::size_t>(tensor.shape[0]), tensor.values);
    file.add(tensor.name + ".scale", "F32", {tensor.shape[0]}, rows.steps);
    file.add(tensor.name, "I8", tensor.shape, rows.values);
  }
  return file.finish();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::fprintf(stderr, "usage: mnist_pairs MNIST_FOLDER PIPELINE_TOML OUT_FOLDER\n"), 2;
  const std::filesystem::path mnist = argv[1];
  const std::filesystem::path out = argv[3];
  const Bytes toml = read(argv[2]);
  const auto pipeline = parse_pipeline({reinterpret_cast<const char*>(toml.data()), toml.size()}, argv[2]);
  if (!pipeline) return fail_with(pipeline.error().context);
  const auto plan = trainer::plan_network(pipeline->signal, pipeline->train.layers);
  if (!plan) return fail_with(plan.error().context);
  const Bytes images = read(mnist / "train-images-idx3-ubyte");
  const Bytes labels = read(mnist / "train-labels-idx1-ubyte");
  if (images.size() < kImageHeaderBytes + kRowsSecond * kPixels || labels.size() < kLabelHeaderBytes + kRowsSecond)
    return fail_with("MNIST's training files are not in " + mnist.string() + ": run 'make setup'");

  std::optional<trainer::Weights> start;
  const char* side = "base";
  for (const std::size_t count : {kRowsFirst, kRowsSecond}) {
    trainer::Rows rows;
    rows.signal = pipeline->signal;
    rows.x.assign(images.begin() + kImageHeaderBytes, images.begin() + static_cast<std::ptrdiff_t>(kImageHeaderBytes + count * kPixels));
    for (std::size_t i = 0; i < count; ++i) rows.y.push_back(labels[kLabelHeaderBytes + i]);
    auto fitted = trainer::fit(*plan, pipeline->train, rows, start, 1, [](const wire::ProgressPoint&) { return false; });
    if (!fitted) return fail_with(fitted.error().context);
    const auto onnx = trainer::write_onnx(*plan, fitted->weights, {pipeline->name, pipeline->recipe_fingerprint(), "", "", 1});
    if (!onnx) return fail_with(onnx.error().context);
    write(out / "mnist-fp32" / side, *onnx);
    write(out / "mnist-int8" / side, int8_file(fitted->weights));
    std::fprintf(stderr, "mnist: %zu rows, accuracy on validation rows %.4f\n", count, fitted->validation_metric);
    start = std::move(fitted->weights);
    side = "target";
  }
  return 0;
}
