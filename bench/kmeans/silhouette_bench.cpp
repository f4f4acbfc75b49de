// Times the exact Silhouette of a matrix that is read from two raw files: float64 rows and int32 labels.
//   silhouette_bench X.bin LABELS.bin WIDTH THREADS ROUNDS
// prints {"mean", "mean_float32", "seconds": [...], "seconds_float32": [...]}.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "shared/metrics/silhouette.hpp"

namespace {

template <class T>
std::vector<T> read_values(const char* path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) {
    std::fprintf(stderr, "silhouette_bench: %s cannot be read\n", path);
    std::exit(1);
  }
  std::vector<T> values(static_cast<std::size_t>(file.tellg()) / sizeof(T));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
  return values;
}

template <class T>
double measure(const std::vector<T>& x, const std::vector<std::int32_t>& labels, std::int64_t width, int threads,
               int rounds, hone::Json& seconds) {
  double mean = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    const auto result = hone::metrics::silhouette(
        hone::metrics::Matrix<T>{x, static_cast<std::int64_t>(labels.size()), width}, labels, threads);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    if (!result) {
      std::fprintf(stderr, "silhouette_bench: %s\n", result.error().context.c_str());
      std::exit(1);
    }
    mean = result->mean;
    seconds.push_back(took.count());
  }
  return mean;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: silhouette_bench X.bin LABELS.bin WIDTH THREADS ROUNDS\n");
    return 2;
  }
  const auto x = read_values<double>(argv[1]);
  const auto labels = read_values<std::int32_t>(argv[2]);
  const int threads = std::atoi(argv[4]), rounds = std::atoi(argv[5]);
  const std::vector<float> x_float(x.begin(), x.end());
  hone::Json result{{"seconds", hone::Json::array()}, {"seconds_float32", hone::Json::array()}};
  result["mean"] = measure(x, labels, std::atoll(argv[3]), threads, rounds, result["seconds"]);
  result["mean_float32"] = measure(x_float, labels, std::atoll(argv[3]), threads, rounds, result["seconds_float32"]);
  std::printf("%s\n", result.dump().c_str());
}
