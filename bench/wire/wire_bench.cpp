// wire_bench DATA PIPELINE_TOML OUT_FOLDER --seed N --free-rates A,B --ams-rates A,B --budgets 0.01,0.005
//
// One task and one seed of `make bench-wire`. DATA holds base_x.npy and base_y.npy (what the deployed model
// learned from), new_x, new_y (what the update learns from) and test_x, test_y. Prints one row of
// out/bench/wire.json on standard output and leaves OUT_FOLDER/{base,free}.onnx for peers that take files.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "base/json.hpp"
#include "peers.hpp"
#include "shared/delta/apply.hpp"
#include "shared/delta/encode/encode.hpp"
#include "shared/model/run/runtime.hpp"
#include "shared/pipeline/pipeline.hpp"
#include "shared/wire/npy.hpp"
#include "trainer/fit.hpp"
#include "trainer/onnx_writer.hpp"
#include "trainer/plan.hpp"
#include "trainer/rows.hpp"
#include "trainer/wire/distil.hpp"
#include "trainer/wire/patch_size.hpp"

namespace {

using namespace hone;
namespace fs = std::filesystem;

constexpr double kPercent = 100;

struct Options {
  fs::path data, pipeline, out;
  std::uint64_t seed = 1;
  std::vector<double> free_rates{}, ams_rates{}, budgets{};
};

bool quiet(const wire::ProgressPoint&) { return false; }

Bytes read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write(const fs::path& path, ByteView bytes) {
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

Result<Bytes> array(const fs::path& path, std::string_view descr) {
  const Bytes file = read(path);
  HONE_TRY(const wire::NpyHeader header, wire::parse_npy(file, file.size()));
  if (header.descr != descr) return fail(Code::invalid, path.string() + " holds " + header.descr);
  return Bytes(file.begin() + static_cast<std::ptrdiff_t>(header.data_offset), file.end());
}

Result<trainer::Rows> rows_of(const fs::path& data, const std::string& part, const wire::Signal& signal) {
  trainer::Rows rows;
  rows.signal = signal;
  HONE_TRY(rows.x, array(data / (part + "_x.npy"), wire::npy_descr(signal.dtype)));
  HONE_TRY(const Bytes labels, array(data / (part + "_y.npy"), "<i8"));
  rows.y.resize(labels.size() / sizeof(std::int64_t));
  std::memcpy(rows.y.data(), labels.data(), labels.size());
  if (rows.x.size() != rows.rows() * signal.sample_bytes()) return fail(Code::invalid, part + ": samples and labels differ in number");
  return rows;
}

class Bench {
 public:
  Bench(Options options, Pipeline pipeline, trainer::Plan plan, std::unique_ptr<model::Runtime> runtime)
      : options_(std::move(options)), pipeline_(std::move(pipeline)), plan_(std::move(plan)), runtime_(std::move(runtime)) {}

  Result<Json> run() {
    HONE_TRY(const trainer::Rows first, rows_of(options_.data, "base", pipeline_.signal));
    HONE_TRY(rows_, rows_of(options_.data, "new", pipeline_.signal));
    HONE_TRY(test_, rows_of(options_.data, "test", pipeline_.signal));
    HONE_TRY(trainer::Fitted base, trainer::fit(plan_, pipeline_.train, first, {}, options_.seed, quiet));
    deployed_ = std::move(base.weights);
    HONE_TRY(deployed_onnx_, trainer::write_onnx(plan_, deployed_, lineage(0, "")));
    HONE_TRY(const double base_metric, accuracy(deployed_onnx_));
    HONE_CHECK(train_freely());
    HONE_TRY(const Bytes free_onnx, trainer::write_onnx(plan_, free_.weights, new_lineage()));
    HONE_TRY(const double free_metric, accuracy(free_onnx));
    HONE_TRY(const Bytes free_patch, delta::encode(deployed_onnx_, free_onnx));
    write(options_.out / "base.onnx", deployed_onnx_);
    write(options_.out / "free.onnx", free_onnx);

    row_ = {{"seed", options_.seed},           {"base_metric", base_metric},      {"free_metric", free_metric},
            {"free_bytes", free_patch.size()}, {"free_learning_rate", free_rate_}, {"epochs", pipeline_.train.epochs},
            {"fp32_bytes", fp32_bytes()},      {"points", Json::array()}};
    tell("base " + std::to_string(base_metric) + ", free " + std::to_string(free_metric));
    HONE_CHECK(ours());
    HONE_CHECK(quantised());
    HONE_CHECK(streaming());
    HONE_CHECK(ternary());
    return row_;
  }

 private:
  trainer::OnnxLineage lineage(std::uint64_t step, const std::string& base) const {
    // Hashes that a delta cannot guess, as real ones are.
    const std::string dataset = sha256(as_bytes("dataset " + std::to_string(options_.seed * 2 + step))).hex();
    return {pipeline_.name, pipeline_.recipe_fingerprint(), dataset, base, options_.seed + step};
  }
  trainer::OnnxLineage new_lineage() const { return lineage(1, sha256(deployed_onnx_).hex()); }
  std::uint64_t fp32_bytes() const { return static_cast<std::uint64_t>(plan_.parameters()) * sizeof(float); }
  static void tell(const std::string& what) { std::fprintf(stderr, "wire_bench: %s\n", what.c_str()); }

  // On the runtime that devices have.
  Result<double> accuracy(ByteView onnx) const {
    constexpr std::size_t kRowsAtOnce = 500;
    HONE_TRY(const auto runner, runtime_->load(onnx, pipeline_.signal));
    const auto width = static_cast<std::size_t>(runner->width());
    const std::size_t sample = pipeline_.signal.sample_bytes();
    std::size_t right = 0;
    for (std::size_t at = 0; at < test_.rows(); at += kRowsAtOnce) {
      const std::size_t count = std::min(kRowsAtOnce, test_.rows() - at);
      std::vector<float> scores(count * width);
      HONE_CHECK(runner->run(ByteView(test_.x).subspan(at * sample, count * sample), static_cast<std::int64_t>(count), scores));
      for (std::size_t i = 0; i < count; ++i) {
        const auto row = scores.begin() + static_cast<std::ptrdiff_t>(i * width);
        right += std::max_element(row, row + static_cast<std::ptrdiff_t>(width)) - row == test_.y[at + i];
      }
    }
    return static_cast<double>(right) / static_cast<double>(test_.rows());
  }

  Result<> train_freely() {
    double best = -1;
    for (const double rate : options_.free_rates) {
      TrainRules rules = pipeline_.train;
      rules.learning_rate = rate;
      HONE_TRY(trainer::Fitted fitted, trainer::fit(plan_, rules, rows_, deployed_, options_.seed + 1, quiet));
      if (fitted.validation_metric <= best) continue;
      best = fitted.validation_metric;
      free_rate_ = rate;
      free_ = std::move(fitted);
    }
    return {};
  }

  void add(const std::string& method, std::uint64_t bytes, double metric, Json more = Json::object()) {
    Json point = {{"method", method}, {"bytes", bytes}, {"percent_of_fp32", kPercent * static_cast<double>(bytes) / static_cast<double>(fp32_bytes())}, {"metric", metric}};
    point.update(more);
    row_["points"].push_back(point);
    tell(method + ": " + std::to_string(bytes) + " bytes, " + std::to_string(metric));
  }

  // As a device gets it: the file that the patch rebuilds.
  Result<> ours() {
    const trainer::OnnxLineage to = new_lineage();
    const trainer::wire_training::UpdateFile file{plan_, deployed_, deployed_onnx_, to};
    trainer::wire_training::Distiller distiller(
        {plan_, pipeline_.train, rows_, deployed_, free_.weights, options_.seed + 2},
        [&](const trainer::wire_training::Update& update) { return file.wire_bytes(update); }, quiet);
    for (const double share : options_.budgets) {
      const auto budget = static_cast<std::uint64_t>(share * static_cast<double>(fp32_bytes()));
      HONE_TRY(const auto point, distiller.under(budget));
      HONE_TRY(const Bytes target, file.onnx(point.update));
      delta::EncodeOptions encode;
      encode.hints = trainer::wire_training::hints_of(point.update);
      HONE_TRY(const Bytes patch, delta::encode(deployed_onnx_, target, encode));
      HONE_TRY(const Bytes rebuilt, delta::apply(deployed_onnx_, patch, target.size()));
      HONE_TRY(const double metric, accuracy(rebuilt));
      Json methods = Json::object();
      for (const auto& change : point.update) methods[change.tensor] = change.method();
      std::ostringstream name;
      name << "hone " << kPercent * share << "%";
      add(name.str(), patch.size(), metric, {{"tensors", methods}});
    }
    return {};
  }

  Result<> quantised() {
    for (const std::int32_t scale : {7, 6, 5, 4, 3}) {
      const auto weights = bench::quantised_after(deployed_, free_.weights, scale);
      HONE_TRY(const Bytes onnx, trainer::write_onnx(plan_, weights, new_lineage()));
      HONE_TRY(const Bytes patch, delta::encode(deployed_onnx_, onnx));
      HONE_TRY(const double metric, accuracy(onnx));
      add("post-hoc 2^-" + std::to_string(scale) + " + our coder", patch.size(), metric);
    }
    return {};
  }

  Result<> streaming() {
    std::optional<bench::PeerUpdate> best;
    double best_rate = 0;
    for (const double rate : options_.ams_rates) {
      TrainRules rules = pipeline_.train;
      rules.learning_rate = rate;
      HONE_TRY(bench::PeerUpdate update, bench::adaptive_streaming({plan_, rules, rows_, deployed_, options_.seed + 1}));
      if (best && update.validation_metric <= best->validation_metric) continue;
      best = std::move(update);
      best_rate = rate;
    }
    if (!best) return {};
    HONE_TRY(const Bytes onnx, trainer::write_onnx(plan_, best->weights, new_lineage()));
    HONE_TRY(const double metric, accuracy(onnx));
    add("ams-like 5%", best->bytes, metric, {{"learning_rate", best_rate}});
    for (const std::int32_t scale : {6, 4}) {
      HONE_TRY(const Bytes coarse, trainer::write_onnx(plan_, bench::quantised_after(deployed_, best->weights, scale), new_lineage()));
      HONE_TRY(const Bytes patch, delta::encode(deployed_onnx_, coarse));
      HONE_TRY(const double coarse_metric, accuracy(coarse));
      add("ams-like 5%, post-hoc 2^-" + std::to_string(scale) + " + our coder", patch.size(), coarse_metric);
    }
    return {};
  }

  Result<> ternary() {
    constexpr double kShare = 0.01;
    TrainRules rules = pipeline_.train;
    rules.learning_rate = free_rate_;
    HONE_TRY(const bench::PeerUpdate update, bench::sparse_ternary({plan_, rules, rows_, deployed_, options_.seed + 1}, kShare * static_cast<double>(fp32_bytes())));
    HONE_TRY(const Bytes onnx, trainer::write_onnx(plan_, update.weights, new_lineage()));
    HONE_TRY(const double metric, accuracy(onnx));
    add("stc", update.bytes, metric);
    return {};
  }

  Options options_;
  Pipeline pipeline_;
  trainer::Plan plan_;
  std::unique_ptr<model::Runtime> runtime_;
  trainer::Rows rows_, test_;
  trainer::Weights deployed_;
  Bytes deployed_onnx_;
  trainer::Fitted free_;
  double free_rate_ = 0;
  Json row_;
};

std::vector<double> numbers(const std::string& list) {
  std::vector<double> result;
  std::stringstream in(list);
  for (std::string one; std::getline(in, one, ',');) result.push_back(std::stod(one));
  return result;
}

Result<Json> work(const Options& options) {
  const Bytes toml = read(options.pipeline);
  HONE_TRY(const Pipeline pipeline, parse_pipeline({reinterpret_cast<const char*>(toml.data()), toml.size()}, options.pipeline.string()));
  HONE_TRY(const trainer::Plan plan, trainer::plan_network(pipeline.signal, pipeline.train.layers));
  HONE_TRY(auto runtime, model::make_onnx_runtime());
  fs::create_directories(options.out);
  return Bench(options, pipeline, plan, std::move(runtime)).run();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 12) {
    std::fprintf(stderr, "usage: wire_bench DATA PIPELINE_TOML OUT_FOLDER --seed N --free-rates A,B --ams-rates A,B --budgets A,B\n");
    return 2;
  }
  Options options{argv[1], argv[2], argv[3]};
  std::map<std::string, std::string> given;
  for (int i = 4; i + 1 < argc; i += 2) given[argv[i]] = argv[i + 1];
  options.seed = std::stoull(given["--seed"]);
  options.free_rates = numbers(given["--free-rates"]);
  options.ams_rates = numbers(given["--ams-rates"]);
  options.budgets = numbers(given["--budgets"]);
  const Result<Json> row = work(options);
  if (!row) return std::fprintf(stderr, "wire_bench: %s\n", row.error().context.c_str()), 1;
  std::printf("%s\n", row->dump().c_str());
  return 0;
}
