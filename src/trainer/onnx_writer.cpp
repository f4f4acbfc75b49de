#include "trainer/onnx_writer.hpp"

#include "trainer/onnx_layers.hpp"

namespace hone::trainer {

Result<Bytes> write_onnx(const Plan& plan, const Weights& weights, const OnnxLineage& lineage) {
  onnx::ModelProto model = begin_model(plan.signal, lineage);
  onnx::GraphProto& graph = *model.mutable_graph();
  set_value(*graph.add_output(), "scores", onnx::TensorProto::FLOAT, {plan.width});
  Chain chain = begin_chain(graph, plan.signal);
  add_input_scale(chain, graph, plan, "x.standard");
  HONE_CHECK(add_layers(chain, graph, plan, weights, "scores"));
  return finish_model(model, lineage);
}

}  // namespace hone::trainer
