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

}  // namespace

std::string_view name_of(ReleaseState state) {
  switch (state) {
    case ReleaseState::judged: return "judged";
    case ReleaseState::prepared: return "prepared";
    case ReleaseState::published: return "published";
  }
  return "unknown";
}

std::vector<DeltaBase> delta_bases(const std::vector<ReleaseRow>& releases, const ModelHash& target,
                                   std::int64_t count) {
  std::vector<DeltaBase> bases;
  for (const auto& release : releases) {
    if (static_cast<std::int64_t>(bases.size()) >= count) break;
    if (release.state != ReleaseState::published || release.model == target) continue;
    const auto same = [&](const DeltaBase& base) { return base.model == release.model; };
    if (std::none_of(bases.begin(), bases.end(), same)) bases.push_back({release.model});
  }
  return bases;
}

Result<BlobHash> prepare(const ReleaseRow& release, const wire::Signal& signal, const wire::SelfTest& self_test,
                         const std::vector<DeltaBase>& bases, BlobStore& blobs) {
  HONE_TRY(const Bytes model, blobs.get({release.model.sha256}, kModelBytesMax));
  wire::ReleaseManifest manifest;
  manifest.pipeline = release.pipeline;
  manifest.seq = release.seq;
  manifest.created = release.judged;
  manifest.signal = signal;
  manifest.model = release.model;
  manifest.full = target_file(wire::model_path(release.pipeline, release.model), model);
  manifest.metric = release.metric;
  manifest.metric_value = release.metric_value;
  manifest.goal_met = release.goal_met;
  manifest.self_test = self_test;
  manifest.note = release.note;
  for (const auto& base : bases) {
    auto delta = make_delta(release.pipeline, base, release.model, model, blobs);
    if (!delta) return fail(delta.error().within("delta from " + base.model.hex()));
    if (*delta) manifest.deltas.push_back(std::move(**delta));
  }
  const Bytes bytes = wire::to_bytes(manifest);
  if (bytes.size() > wire::kManifestBytesMax) {
    return fail(Code::invalid, "the release manifest would be larger than devices accept: ask for fewer delta_bases");
  }
  return blobs.put(bytes);
}

}  // namespace hone::cloud
