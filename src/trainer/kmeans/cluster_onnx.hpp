// Writes a k-means model as an ONNX file: opset 13, IR 8, the contract of shared/model/run.
//
//   x [N, ...shape] -> Cast -> Mul scale -> (windows) -> (spectrum) -> Flatten -> normalise, clip = features
//     -> distance to every centroid -> anomaly [N, 3]: distance to the nearest, anomalous 1 or 0, cluster
//
// A sample of several windows (window_cut.hpp) is as anomalous as its farthest one: distance and cluster are that
// window's, and it is anomalous when any of its windows is. The second output, `features` [N, features], is what
// distances are measured in, of the farthest window: who compares two models can measure both in the space of one of
// them.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "shared/wire/signal.hpp"
#include "trainer/kmeans/cluster_model.hpp"
#include "trainer/kmeans/window_cut.hpp"
#include "trainer/onnx_writer.hpp"

namespace hone::trainer {

// `spectrum`: over the windows' last axis. `invalid` when the model does not fit the signal.
[[nodiscard]] Result<Bytes> write_cluster_onnx(const wire::Signal& signal, const WindowCut& cut, bool spectrum,
                                               const ClusterModel& model, const OnnxLineage& lineage);

// How many features a window has.
[[nodiscard]] std::int64_t feature_count(const wire::Signal& signal, const WindowCut& cut, bool spectrum);

}  // namespace hone::trainer
