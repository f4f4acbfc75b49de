// What k-means clusters: the samples scaled robustly, because training data holds anomalies. The
// range from the 10% to the 90% quantile of a feature becomes a width of 2 around its median, and
// what lies beyond the clip is brought back to it. This header knows libtorch.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/kmeans/cluster_model.hpp"
#include "trainer/kmeans/window_cut.hpp"
#include "trainer/rows.hpp"

namespace hone::trainer {

// [rows * cut.count, features] float32 before scaling, as the graph computes them: the windows of a sample stand one
// after another.
[[nodiscard]] at::Tensor raw_features(const Rows& rows, const WindowCut& cut, bool spectrum, at::Device device);

// Learns center and inverse_spread of `model` from finite rows. A feature whose quantiles coincide
// is divided by its standard deviation; one that is constant stays as it is.
void learn_scale(const at::Tensor& raw, ClusterModel& model);

[[nodiscard]] at::Tensor scaled(const at::Tensor& raw, const ClusterModel& model);

}  // namespace hone::trainer
