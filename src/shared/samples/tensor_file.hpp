// A whole tensor from a .npy or an IDX file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/files.hpp"
#include "base/result.hpp"

namespace hone::samples {

struct TensorFile {
  std::string path;
  std::string descr;  // as in .npy
  std::vector<std::int64_t> shape;
  Bytes data;  // little-endian, C order
};

// By its name: "*.npy", else IDX. Errors name the file; `invalid` also when it is larger than `bytes_max`.
[[nodiscard]] Result<TensorFile> read_tensor_file(Files& files, const std::string& path, std::uint64_t bytes_max);

// "[2, 28, 28]"
[[nodiscard]] std::string text_of_shape(const std::vector<std::int64_t>& shape);

}  // namespace hone::samples
