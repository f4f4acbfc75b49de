// delta_promise FILE...   files (folders: all in them, up to 8 MB each) against zstd -19 of each, in both profiles,
//                         without a base: the promise that no patch is larger by more than 0.1% or 256 bytes.
//                         Fails when one is. The slice of it that `make test` runs is size_promise_test.cpp.
#include <zstd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "shared/delta/apply.hpp"
#include "shared/delta/encode/encode.hpp"

namespace {

using namespace hone;

Bytes read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

double seconds(const std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// One line a file; returns whether the promise was kept in both profiles.
bool keeps_promise(const std::string& path) {
  const Bytes target = read(path);
  Bytes compressed(ZSTD_compressBound(target.size()));
  const std::size_t zstd = ZSTD_compress(compressed.data(), compressed.size(), target.data(), target.size(), 19);
  const std::size_t limit = zstd + std::max<std::size_t>(256, zstd / 1000);
  std::size_t size[2] = {};
  double encode_s[2] = {};
  for (const auto profile : {delta::Profile::small, delta::Profile::standard}) {
    delta::EncodeOptions options;
    options.profile = profile;
    const auto start = std::chrono::steady_clock::now();
    const auto patch = delta::encode({}, target, options);
    encode_s[static_cast<int>(profile)] = seconds(start);
    const Result<Bytes> rebuilt = patch ? delta::apply({}, *patch, target.size()) : Result<Bytes>(fail(patch.error()));
    if (!rebuilt || *rebuilt != target) return std::printf("%s: does not come back\n", path.c_str()), false;
    size[static_cast<int>(profile)] = patch->size();
  }
  const bool kept = size[0] <= limit && size[1] <= limit;
  std::printf("%-5s %9zu zstd %9zu  small %9zu %+7.2f%% %6.2fs  standard %9zu %+7.2f%% %6.2fs  %s\n", kept ? "ok" : "OVER", target.size(), zstd,
              size[0], 100.0 * static_cast<double>(size[0]) / static_cast<double>(zstd) - 100.0, encode_s[0], size[1],
              100.0 * static_cast<double>(size[1]) / static_cast<double>(zstd) - 100.0, encode_s[1], path.c_str());
  std::fflush(stdout);
  return kept;
}

int promise(int count, char** paths) {
  constexpr std::uintmax_t kFileBytesMax = 8u << 20;
  std::vector<std::string> files;
  for (int i = 0; i < count; ++i) {
    if (!std::filesystem::is_directory(paths[i])) {
      files.emplace_back(paths[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(paths[i], std::filesystem::directory_options::skip_permission_denied))
      if (entry.is_regular_file() && !entry.is_symlink() && entry.file_size() <= kFileBytesMax) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  std::size_t broken = 0;
  for (const auto& file : files) broken += !keeps_promise(file);
  std::printf("%zu files, %zu larger than promised\n", files.size(), broken);
  return broken == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: delta_promise FILE...\n"), 2;
  return promise(argc - 1, argv + 1);
}
