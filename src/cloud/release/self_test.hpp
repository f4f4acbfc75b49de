// The self-test that travels in a release: fixed inputs with the outputs that the gate's machine
// got from this very file. A device whose runtime answers otherwise keeps its old model.
#pragma once

#include "base/result.hpp"
#include "cloud/ingest/blob_store.hpp"
#include "shared/model/run/runtime.hpp"
#include "shared/wire/dataset.hpp"
#include "shared/wire/release.hpp"

namespace hone::cloud {

constexpr std::int64_t kSelfTestRows = 16;
constexpr std::size_t kSelfTestInputBytesMax = 512 * 1024;  // fewer rows where samples are large

// The largest absolute difference allowed, as a share of the largest absolute output: CPUs and
// versions of the runtime round sums in other orders, by some 1e-6 of the scale; a wrong kernel or a
// wrong file is off by far more than a thousandth.
constexpr float kSelfTestTolerance = 1e-3F;

// For a file that computes in eight bits. Its whole numbers are the same everywhere, but where a value lies between two steps a
// runtime that fuses otherwise may round to the other one: a step is 1/255 of a tensor's range, and some of them add up.
constexpr float kSelfTestTolerance8Bits = 2e-2F;

// Inputs are rows of the dataset version's first holdout shard, evenly spaced, so that a rerun picks
// the same ones. They are published with the model: whoever can fetch a release can see them.
[[nodiscard]] Result<wire::SelfTest> make_self_test(const model::Runner& candidate,
                                                    const wire::DatasetManifest& dataset, BlobStore& blobs,
                                                    float tolerance = kSelfTestTolerance);

}  // namespace hone::cloud
