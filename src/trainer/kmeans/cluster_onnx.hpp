// Writes a k-means model as an ONNX file: opset 13, IR 8, the contract of shared/model/run.
//
//   x [N, ...shape] -> Cast -> Mul scale -> (spectrum) -> Flatten -> normalise, clip = features
//     -> distance to every centroid -> anomaly [N, 3]: distance to the nearest, anomalous 1 or 0, cluster
//
// The second output, `features` [N, features], is what distances are measured in: who compares two
// models can measure both in the space of one of them.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "shared/wire/signal.hpp"
#include "trainer/kmeans/cluster_model.hpp"
#include "trainer/onnx_writer.hpp"

namespace hone::trainer {

// `spectrum`: over the signal's last axis. `invalid` when the model does not fit the signal.
[[nodiscard]] Result<Bytes> write_cluster_onnx(const wire::Signal& signal, bool spectrum, const ClusterModel& model,
                                               const OnnxLineage& lineage);

// How many features a sample has.
[[nodiscard]] std::int64_t feature_count(const wire::Signal& signal, bool spectrum);

}  // namespace hone::trainer
