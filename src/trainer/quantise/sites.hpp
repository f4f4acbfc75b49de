// Where a graph can be quantised. This header knows ONNX's protobuf: only sources of this folder include it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "trainer/onnx_graph.hpp"

namespace hone::trainer {

// A Conv or Gemm whose weights are constant, nobody else's, and [channels, ...].
struct Site {
  int node = 0;      // index into the graph's nodes
  std::string data;  // the value that it reads
  std::string weight;
  std::string bias;  // empty: none
};

struct Sites {
  std::vector<Site> sites;
  // Every value that is to be bytes, and where its range is that of: itself, or what MaxPool and Flatten passed on to it.
  std::map<std::string, std::string> root_of;
  std::set<int> passing;  // the nodes that pass such values on

  [[nodiscard]] std::vector<std::string> roots() const;  // each once, sorted
};

[[nodiscard]] Sites find_sites(const onnx::GraphProto& graph);

// nullptr: the graph has no initializer of that name.
[[nodiscard]] const onnx::TensorProto* find_initializer(const onnx::GraphProto& graph, const std::string& name);

}  // namespace hone::trainer
