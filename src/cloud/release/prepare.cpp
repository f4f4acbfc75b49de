#include "cloud/release/prepare.hpp"

#include <algorithm>
#include <optional>

#include "shared/delta/encode/encode.hpp"
#include "shared/delta/encode/hints_file.hpp"

namespace hone::cloud {
namespace {

wire::TargetFile target_file(std::string path, ByteView bytes) {
  return {std::move(path), bytes.size(), sha256(bytes)};
}

// None when they are no hints: the delta is right without them, only larger.
Result<std::vector<delta::LowRankHint>> load_hints(const BlobHash& hash, BlobStore& blobs) {
  HONE_TRY(const Bytes file, blobs.get(hash, delta::kHintsBytesMax));
  auto hints = delta::read_hints(file);
  if (!hints) return std::vector<delta::LowRankHint>{};
  return hints;
}

// None when the delta would not be smaller than the full file.
Result<std::optional<wire::ReleaseDelta>> make_delta(const PipelineName& pipeline, const DeltaBase& base,
                                                     const ModelHash& target, ByteView target_bytes, BlobStore& blobs) {
  HONE_TRY(const Bytes base_bytes, blobs.get({base.model.sha256}, kModelBytesMax));
  delta::EncodeOptions options;
  if (base.hints) {
    HONE_TRY(options.hints, load_hints(*base.hints, blobs));
  }
  HONE_TRY(const Bytes patch, delta::encode(base_bytes, target_bytes, options));
  if (patch.size() >= target_bytes.size()) return std::nullopt;
  HONE_TRY([[maybe_unused]] const BlobHash blob, blobs.put(patch));
  return wire::ReleaseDelta{base.model, target_file(wire::delta_path(pipeline, base.model, target), patch)};
}

// The full file and a delta from each base.
Result<> add_files(const PipelineName& pipeline, const ModelHash& model, const std::vector<DeltaBase>& bases,
                   BlobStore& blobs, wire::TargetFile& full, std::vector<wire::ReleaseDelta>& deltas) {
  HONE_TRY(const Bytes bytes, blobs.get({model.sha256}, kModelBytesMax));
  full = target_file(wire::model_path(pipeline, model), bytes);
  for (const DeltaBase& base : bases) {
    auto delta = make_delta(pipeline, base, model, bytes, blobs);
    if (!delta) return fail(delta.error().within("delta from " + base.model.hex()));
    if (*delta) deltas.push_back(std::move(**delta));
  }
  return {};
}

// The release's file of a format, if it has one.
std::optional<ModelHash> file_of(const ReleaseRow& release, std::string_view format) {
  if (format == wire::kPlainFormat) return release.model;
  for (const wire::ModelExport& file : release.exports)
    if (file.format == format) return file.model;
  return std::nullopt;
}

}  // namespace

std::string_view name_of(ReleaseState state) {
  switch (state) {
    case ReleaseState::judged: return "judged";
    case ReleaseState::prepared: return "prepared";
    case ReleaseState::published: return "published";
  }
  return "unknown";
}

std::vector<DeltaBase> delta_bases(const std::vector<ReleaseRow>& releases, const ModelHash& target, std::int64_t count,
                                   std::string_view format) {
  std::vector<DeltaBase> bases;
  for (const auto& release : releases) {
    if (static_cast<std::int64_t>(bases.size()) >= count) break;
    const auto model = file_of(release, format);
    if (release.state != ReleaseState::published || !model || *model == target) continue;
    const auto same = [&](const DeltaBase& base) { return base.model == *model; };
    if (std::none_of(bases.begin(), bases.end(), same)) bases.push_back({*model});
  }
  return bases;
}

Result<BlobHash> prepare(const ReleaseRow& release, const wire::Signal& signal, const FilePlan& plain,
                         const std::vector<FilePlan>& exports, BlobStore& blobs) {
  wire::ReleaseManifest manifest;
  manifest.pipeline = release.pipeline;
  manifest.seq = release.seq;
  manifest.created = release.judged;
  manifest.signal = signal;
  manifest.model = release.model;
  manifest.metric = release.metric;
  manifest.metric_value = release.metric_value;
  manifest.goal_met = release.goal_met;
  manifest.self_test = plain.self_test;
  manifest.note = release.note;
  HONE_CHECK(add_files(release.pipeline, release.model, plain.bases, blobs, manifest.full, manifest.deltas));
  for (std::size_t i = 0; i < exports.size(); ++i) {
    const wire::ModelExport& file = release.exports.at(i);
    wire::ReleaseExport& item = manifest.exports.emplace_back();
    item.format = file.format;
    item.model = file.model;
    item.outputs = exports[i].self_test.outputs;
    item.tolerance = exports[i].self_test.tolerance;
    HONE_CHECK(add_files(release.pipeline, file.model, exports[i].bases, blobs, item.full, item.deltas));
  }
  const Bytes bytes = wire::to_bytes(manifest);
  if (bytes.size() > wire::kManifestBytesMax) {
    return fail(Code::invalid, "the release manifest would be larger than devices accept: ask for fewer delta_bases");
  }
  return blobs.put(bytes);
}

}  // namespace hone::cloud
