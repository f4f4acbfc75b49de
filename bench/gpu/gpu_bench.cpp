// What the trainer does on the device that libtorch finds, as one line of JSON:
//   gpu_bench train MNIST_FOLDER PIPELINE_TOML [ROWS]   {"device", "samples_per_s", "seconds_to_99", ...}
//   gpu_bench silhouette ROWS WIDTH                     {"device", "seconds", "value", ...}
// Accuracy is that on the validation rows, a tenth of the training digits that no weight is fitted to. Rates and times
// hold these measurements of every epoch, too. What a device does once, at its first use, is not counted.
#include <ATen/TensorOperators.h>
#include <ATen/Context.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.hpp"
#include "base/result.hpp"
#include "shared/pipeline/pipeline.hpp"
#include "shared/samples/idx.hpp"
#include "trainer/fit.hpp"
#include "trainer/kmeans/device_silhouette.hpp"
#include "trainer/plan.hpp"
#include "trainer/row_tensors.hpp"
#include "trainer/rows.hpp"

namespace {

using namespace hone;

constexpr double kGoal = 0.99;
constexpr std::int64_t kEpochs = 8;  // enough for the goal on all of MNIST; digits.toml has the demo's
constexpr std::size_t kWarmUpRows = 1280;
constexpr std::int64_t kWarmUpSilhouetteRows = 8192;  // several blocks
constexpr std::int64_t kClusters = 8;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Result<Bytes> read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Code::not_found, path.string() + " cannot be read");
  return Bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

Result<trainer::Rows> mnist_rows(const std::filesystem::path& folder, const wire::Signal& signal, std::size_t most) {
  HONE_TRY(const Bytes image_file, read(folder / "train-images-idx3-ubyte"));
  HONE_TRY(const Bytes label_file, read(folder / "train-labels-idx1-ubyte"));
  HONE_TRY(samples::IdxTensor images, samples::parse_idx(image_file));
  HONE_TRY(const samples::IdxTensor labels, samples::parse_idx(label_file));
  const std::size_t count = std::min(most, labels.data.size());
  if (images.data.size() != labels.data.size() * signal.sample_bytes())
    return fail(Code::invalid, "the images in " + folder.string() + " are not those of the pipeline's signal");
  images.data.resize(count * signal.sample_bytes());
  trainer::Rows rows;
  rows.signal = signal;
  rows.x = std::move(images.data);
  rows.y.assign(labels.data.begin(), labels.data.begin() + static_cast<std::ptrdiff_t>(count));
  return rows;
}

Result<Json> train(const std::string& folder, const std::string& toml_path, std::size_t most) {
  HONE_TRY(const Bytes toml, read(toml_path));
  HONE_TRY(Pipeline pipeline, parse_pipeline(as_text(toml), toml_path));
  pipeline.train.epochs = kEpochs;
  HONE_TRY(const trainer::Plan plan, trainer::plan_network(pipeline.signal, pipeline.train.layers));
  HONE_TRY(const trainer::Rows rows, mnist_rows(folder, pipeline.signal, most));
  HONE_TRY(const trainer::Rows few, mnist_rows(folder, pipeline.signal, kWarmUpRows));
  HONE_CHECK(trainer::fit(plan, pipeline.train, few, {}, 1, [](const wire::ProgressPoint&) { return false; }));

  Json to_goal = nullptr;
  const auto start = std::chrono::steady_clock::now();
  HONE_TRY(const trainer::Fitted fitted,
           trainer::fit(plan, pipeline.train, rows, {}, 1, [&](const wire::ProgressPoint& point) {
             if (to_goal.is_null() && point.validation_metric >= kGoal) to_goal = seconds_since(start);
             return false;
           }));
  const double seconds = seconds_since(start);
  const std::size_t passed = trainer::split_by_content(rows).fit.size() * fitted.curve.size();
  return Json{{"device", fitted.device}, {"rows", rows.rows()}, {"epochs", fitted.curve.size()},
              {"parameters", plan.parameters()}, {"batch", pipeline.train.batch_size}, {"seconds", seconds},
              {"samples_per_s", static_cast<double>(passed) / seconds}, {"seconds_to_99", to_goal},
              {"accuracy", fitted.validation_metric}};
}

// Normal blobs, a cluster each.
Result<std::pair<double, double>> time_silhouette(at::Device device, std::int64_t rows, std::int64_t width) {
  at::manual_seed(1);
  const at::Tensor cluster = at::arange(rows, at::TensorOptions(device).dtype(at::kLong)).remainder(kClusters);
  const at::Tensor centres = at::randn({kClusters, width}, device) * 2;
  const at::Tensor features = centres.index_select(0, cluster) + at::randn({rows, width}, device);
  static_cast<void>(features.sum().item<float>());  // all of it is there before the clock starts
  const auto start = std::chrono::steady_clock::now();
  HONE_TRY(const metrics::Silhouette silhouette, trainer::device_silhouette(features, cluster));
  return std::pair(seconds_since(start), silhouette.mean);
}

Result<Json> silhouette(std::int64_t rows, std::int64_t width) {
  if (rows < 2 * kClusters || width < 1) return fail(Code::invalid, "ROWS must be at least 16 and WIDTH at least 1");
  const at::Device device = trainer::best_device();
  HONE_CHECK(time_silhouette(device, std::min(rows, kWarmUpSilhouetteRows), width));
  HONE_TRY(const auto timed, time_silhouette(device, rows, width));
  return Json{{"device", device.is_cuda() ? "cuda" : "cpu"}, {"rows", rows}, {"width", width},
              {"clusters", kClusters}, {"seconds", timed.first}, {"value", timed.second}};
}

Result<Json> run(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "train" && (argc == 4 || argc == 5))
    return train(argv[2], argv[3], argc == 5 ? std::strtoull(argv[4], nullptr, 10) : SIZE_MAX);
  if (what == "silhouette" && argc == 4) return silhouette(std::atoll(argv[2]), std::atoll(argv[3]));
  return fail(Code::invalid, "usage: gpu_bench train MNIST_FOLDER PIPELINE_TOML [ROWS] | silhouette ROWS WIDTH");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto result = run(argc, argv);
    if (result) return std::printf("%s\n", result->dump().c_str()), 0;
    std::fprintf(stderr, "gpu_bench: %s\n", result.error().context.c_str());
  } catch (const std::exception& error) {  // libtorch's: no memory on the device
    std::fprintf(stderr, "gpu_bench: %s\n", error.what());
  }
  return 1;
}
