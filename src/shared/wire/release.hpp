// The release manifest: what is known of a model only after the gate. It is a TUF target,
// "models/<pipeline>/<seq>.manifest.json", so a device believes it only through signed
// metadata. The model is "models/<pipeline>/<sha256>.onnx", a delta
// "models/<pipeline>/<base sha256>-<target sha256>.delta": content-addressed, so that a rollback
// is a higher seq whose manifest names older files; the further formats' files are named just so. docs/formats/release.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "shared/wire/model_files.hpp"
#include "shared/wire/signal.hpp"

namespace hone::wire {

struct TargetFile {
  std::string path;  // TUF target path
  std::uint64_t bytes = 0;
  Sha256 sha256;
};

struct ReleaseDelta {
  ModelHash base;
  TargetFile file;
};

// Fixed inputs with expected outputs: the device runs them before it lets the model answer.
struct SelfTest {
  std::int64_t rows = 0;
  Bytes inputs;                 // rows * signal.sample_bytes()
  std::vector<float> outputs;   // rows * output width
  float tolerance = 0;          // largest absolute difference allowed
};

// The same model in another format ("onnx-int8"): a file of its own, with deltas from files of that format.
struct ReleaseExport {
  std::string format;
  ModelHash model;
  TargetFile full;
  std::vector<ReleaseDelta> deltas;  // newest base first
  std::vector<float> outputs;        // what it answers to the self-test's inputs
  float tolerance = 0;
};

struct ReleaseManifest {
  PipelineName pipeline;
  ReleaseSeq seq;
  Time created{};
  Signal signal;
  ModelHash model;
  TargetFile full;                   // the model file itself; full.sha256 == model
  std::vector<ReleaseDelta> deltas;  // newest base first
  std::string metric;                // "accuracy"
  double metric_value = 0;           // on the holdout
  bool goal_met = false;
  SelfTest self_test;
  std::vector<ReleaseExport> exports;  // of the same model; each format once
  std::string note;                  // "rollback of 3 to 2: ...", else empty

  // As a device that runs `format` reads it: model, full, deltas and self-test are that export's, and no other is named.
  // As it is, for a release that has no such export: every release has the plain file.
  [[nodiscard]] ReleaseManifest in_format(std::string_view format) const;
};

constexpr std::size_t kManifestBytesMax = 4u << 20;
constexpr std::size_t kSelfTestRowsMax = 64;

[[nodiscard]] std::string manifest_path(const PipelineName& pipeline, ReleaseSeq seq);
[[nodiscard]] std::string model_path(const PipelineName& pipeline, const ModelHash& model);
[[nodiscard]] std::string delta_path(const PipelineName& pipeline, const ModelHash& base, const ModelHash& target);

[[nodiscard]] Bytes to_bytes(const ReleaseManifest& manifest);
[[nodiscard]] Result<ReleaseManifest> release_manifest_from(ByteView bytes);

}  // namespace hone::wire
