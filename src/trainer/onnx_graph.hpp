// Building blocks of an ONNX graph, for the writers of this folder. This header knows ONNX's
// protobuf, which takes long to compile: only sources include it.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "shared/wire/signal.hpp"
#include "trainer/onnx_writer.hpp"
#include "trainer/plan.hpp"

namespace hone::trainer {

// Adds nodes one behind the other: the output of each is the input of the next.
class Chain {
 public:
  Chain(onnx::GraphProto& graph, std::string first) : graph_(graph), value_(std::move(first)) {}

  onnx::NodeProto& add(const std::string& op, const std::string& name);
  [[nodiscard]] const std::string& value() const { return value_; }

 private:
  onnx::GraphProto& graph_;
  std::string value_;
};

[[nodiscard]] onnx::TensorProto::DataType onnx_type(wire::DType dtype);
void set_int(onnx::NodeProto& node, const char* name, std::int64_t value);
void set_ints(onnx::NodeProto& node, const char* name, const Shape& values);

// An input or output of the graph: [N, ...shape].
void set_value(onnx::ValueInfoProto& info, const char* name, onnx::TensorProto::DataType type, const Shape& shape);

void add_floats(onnx::GraphProto& graph, const std::string& name, const Shape& shape, const std::vector<float>& values);

// The values of a float32 tensor that holds as many as its shape says; `invalid` for any other.
[[nodiscard]] Result<std::vector<float>> floats_of(const onnx::TensorProto& tensor);

// A model with its header and the input x; the graph is named by the pipeline.
[[nodiscard]] onnx::ModelProto begin_model(const wire::Signal& signal, const OnnxLineage& lineage);

// x -> Cast -> Mul scale: what every graph of hone begins with.
[[nodiscard]] Chain begin_chain(onnx::GraphProto& graph, const wire::Signal& signal);

// Appends the lineage and gives the bytes. `invalid` when they do not fit an ONNX file.
[[nodiscard]] Result<Bytes> finish_model(onnx::ModelProto& model, const OnnxLineage& lineage);

// Reads bytes from outside, bounded in size and nesting. `damaged`: no ONNX file, or too large.
[[nodiscard]] Result<onnx::ModelProto> parse_model(ByteView onnx);

}  // namespace hone::trainer
