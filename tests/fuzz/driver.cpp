// Replays a corpus and a seeded number of its mutations through a fuzz target, without libFuzzer:
// the slice of fuzzing that `make test` runs with any compiler. Run it under the asan preset to see
// more. A crash is reproduced by the same arguments.
//
//   npy_fuzz CORPUS_FOLDER [ROUNDS] [SEED]
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

std::vector<Input> read_corpus(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.is_regular_file()) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<Input> inputs;
  for (const auto& path : paths) {
    std::ifstream in(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return inputs;
}

Input mutate(const std::vector<Input>& corpus, std::mt19937_64& random) {
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
  Input input = corpus[below(corpus.size())];
  for (std::size_t edits = 1 + below(8); edits > 0; --edits) {
    switch (below(6)) {
      case 0:  // flip a bit
        if (!input.empty()) input[below(input.size())] ^= static_cast<std::uint8_t>(1u << below(8));
        break;
      case 1:  // an interesting byte
        if (!input.empty()) input[below(input.size())] = static_cast<std::uint8_t>(std::array{0, 1, 127, 128, 255}[below(5)]);
        break;
      case 2:  // cut short
        input.resize(below(input.size() + 1));
        break;
      case 3: {  // remove a run
        const auto at = below(input.size() + 1);
        const auto n = std::min(below(16), input.size() - at);
        input.erase(input.begin() + static_cast<std::ptrdiff_t>(at), input.begin() + static_cast<std::ptrdiff_t>(at + n));
        break;
      }
      case 4: {  // insert a run
        const Input run(below(16), static_cast<std::uint8_t>(random()));
        input.insert(input.begin() + static_cast<std::ptrdiff_t>(below(input.size() + 1)), run.begin(), run.end());
        break;
      }
      case 5: {  // splice another input's tail
        const Input& other = corpus[below(corpus.size())];
        const auto from = below(other.size() + 1);
        input.resize(below(input.size() + 1));
        input.insert(input.end(), other.begin() + static_cast<std::ptrdiff_t>(from), other.end());
        break;
      }
    }
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: %s CORPUS_FOLDER [ROUNDS] [SEED]\n", argv[0]), 2;
  const auto corpus = read_corpus(argv[1]);
  if (corpus.empty()) return std::fprintf(stderr, "%s holds no input\n", argv[1]), 2;
  const long rounds = argc > 2 ? std::atol(argv[2]) : 3000;
  std::mt19937_64 random(argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1);
  for (const auto& input : corpus) LLVMFuzzerTestOneInput(input.data(), input.size());
  for (long i = 0; i < rounds; ++i) {
    const Input input = mutate(corpus, random);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  std::printf("%zu inputs, %ld mutations\n", corpus.size(), rounds);
}
