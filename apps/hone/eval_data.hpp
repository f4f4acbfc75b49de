// Labelled samples from files, checked against a signal: a folder with x.npy and y.npy (as hone's
// dataset shards are), or with an IDX pair (*-images-idx3-ubyte, *-labels-idx1-ubyte, as MNIST's).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/files.hpp"
#include "base/result.hpp"
#include "shared/wire/signal.hpp"

namespace hone::app {

struct EvalData {
  Bytes x;                      // rows() * signal.sample_bytes()
  std::vector<std::int64_t> y;  // label index, or -1: not counted
  std::string source;           // the files, for people

  [[nodiscard]] std::size_t rows() const { return y.size(); }
};

constexpr std::uint64_t kEvalFileBytesMax = 4ull << 30;

// Of several IDX pairs in the folder the one whose name begins with "t10k" or "test" is taken.
// Errors name the file and say what does not fit the signal.
[[nodiscard]] Result<EvalData> load_eval_data(Files& files, const std::string& folder, const wire::Signal& signal);

}  // namespace hone::app
