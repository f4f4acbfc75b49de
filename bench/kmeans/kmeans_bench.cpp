// Times k-means on a matrix that is read from a raw file of float32 rows, and writes the centroids to another.
//   kmeans_bench X.bin WIDTH CLUSTERS RESTARTS THREADS SEED CENTROIDS.bin
// prints {"seconds", "inertia"}: the time from the rows in memory to the centroids, copies included.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "base/json.hpp"
#include "trainer/kmeans/cpu_rows.hpp"
#include "trainer/kmeans/lloyd.hpp"

namespace {

std::vector<float> read_values(const char* path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) {
    std::fprintf(stderr, "kmeans_bench: %s cannot be read\n", path);
    std::exit(1);
  }
  std::vector<float> values(static_cast<std::size_t>(file.tellg()) / sizeof(float));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(float)));
  return values;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8) {
    std::fprintf(stderr, "usage: kmeans_bench X.bin WIDTH CLUSTERS RESTARTS THREADS SEED CENTROIDS.bin\n");
    return 2;
  }
  const std::vector<float> x = read_values(argv[1]);
  hone::KMeansRules rules;
  rules.restarts = std::atoll(argv[4]);
  rules.trim = 0;  // what the peers do
  rules.min_cluster = 0;
  const auto start = std::chrono::steady_clock::now();
  const auto rows = hone::trainer::make_cpu_rows(x, std::atoll(argv[2]), std::atoi(argv[5]));
  const auto found = hone::trainer::trimmed_kmeans(*rows, std::atoll(argv[3]), rules,
                                                   static_cast<std::uint64_t>(std::atoll(argv[6])), [] { return false; });
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  if (!found) {
    std::fprintf(stderr, "kmeans_bench: %s\n", found.error().context.c_str());
    return 1;
  }
  std::ofstream(argv[7], std::ios::binary)
      .write(reinterpret_cast<const char*>(found->centroids.data()),
             static_cast<std::streamsize>(found->centroids.size() * sizeof(float)));
  std::printf("%s\n", hone::Json{{"seconds", took.count()}, {"inertia", found->inertia}}.dump().c_str());
}
