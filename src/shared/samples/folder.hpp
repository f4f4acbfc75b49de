// Samples from a folder, checked against a signal. The first of these that is there is read:
//
//   x*.npy               with y*.npy beside: x.npy and y.npy, x-0001.npy and y-0001.npy, x_train.npy and y_train.npy
//   *-images-idx3-ubyte  with *-labels-idx1-ubyte beside, as MNIST's files are
//   *.csv                see csv.hpp
//
// A folder may hold a training and a test part: x_train.npy and x_test.npy, train-images-... and t10k-images-...,
// train.csv and test.csv. The part that is asked for is read, else the files that say nothing of a part, else the
// other part.
#pragma once

#include <cstdint>
#include <string>

#include "base/files.hpp"
#include "base/result.hpp"
#include "shared/samples/samples.hpp"
#include "shared/wire/signal.hpp"

namespace hone::samples {

enum class Part : std::uint8_t { training, test };

constexpr std::uint64_t kFolderBytesMax = std::uint64_t{16} << 30;  // of all files that are read

struct FolderOptions {
  Part part = Part::training;
  std::string label_column;      // of CSV files
  bool labels_required = false;  // refuse samples without a y beside them, or without a label column
  std::uint64_t bytes_max = kFolderBytesMax;
};

// x has the signal's dtype (or is float64 where that is float32) and is rows of its shape, in which axes of extent
// 1 may be missing, or flat: MNIST's [n, 28, 28] and [n, 784] fit [1, 28, 28]. y is one whole number a row: the
// label's index, or -1. Errors name the file and say what does not fit.
[[nodiscard]] Result<Samples> read_folder(Files& files, const std::string& folder, const wire::Signal& signal,
                                          const FolderOptions& options);

}  // namespace hone::samples
