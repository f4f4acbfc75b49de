// The matrices that tests compare with figures of other implementations: CSV, a row a line, without a header.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace hone::metrics::testing {

template <class Float>
struct CsvMatrix {
  std::vector<Float> values;  // [rows, width]
  std::int64_t width = 0;
};

template <class Float>
CsvMatrix<Float> read_matrix(const std::filesystem::path& csv) {
  CsvMatrix<Float> matrix;
  std::ifstream file(csv);
  for (std::string line; std::getline(file, line);) {
    std::istringstream cells(line);
    matrix.width = 0;
    for (std::string cell; std::getline(cells, cell, ',');) {
      matrix.values.push_back(static_cast<Float>(std::stod(cell)));
      ++matrix.width;
    }
  }
  return matrix;
}

}  // namespace hone::metrics::testing
