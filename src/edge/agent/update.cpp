#include "edge/agent/update.hpp"

#include <utility>

namespace hone::edge {

std::string model_file(const std::string& folder, char slot) {
  return folder + "/models/" + slot + ".onnx";
}

Result<UpdateEvent> Update::advance(UpdateState state, HttpClient& cloud, Time now) {
  switch (state) {
    case UpdateState::offered: return verify_manifest(cloud, now);
    case UpdateState::fetching: return fetch(cloud);
    case UpdateState::verified: return patch();
    case UpdateState::patched: return test();
    default: return UpdateEvent::nothing;
  }
}

InstalledModel Update::installed() const {
  const wire::ReleaseManifest& m = **manifest_;
  return {m.seq, m.model, m.full.bytes, free_slot(), m.signal, m.goal_met};
}

Result<UpdateEvent> Update::verify_manifest(HttpClient& cloud, Time now) {
  HONE_CHECK(ports_.repository.refresh(
      [&](const std::string& path, std::uint64_t bytes_max) { return fetch_file(cloud, path, bytes_max); }, now));
  HONE_TRY(const auto file, ports_.repository.find(wire::manifest_path(pipeline_, release_)));
  if (file->bytes > wire::kManifestBytesMax) return fail(Code::invalid, "the manifest is larger than any may be");
  HONE_TRY(const Bytes bytes, fetch_file(cloud, TrustedRepository::url_path(*file), file->bytes));
  HONE_TRY(manifest_, ports_.repository.manifest(pipeline_, release_, bytes, ports_.format));
  const wire::ReleaseManifest& m = **manifest_;
  if (m.seq != release_ || m.full.sha256 != m.model.sha256)
    return fail(Code::invalid, "the manifest contradicts itself");
  if (!delta_failed_) {
    delta_ = choose_delta(m, installed_ ? std::optional(installed_->model) : std::nullopt);
  }
  return UpdateEvent::manifest_verified;
}

Result<UpdateEvent> Update::fetch(HttpClient& cloud) {
  if (!fetch_) {
    if (take_present()) return UpdateEvent::fetched;
    const std::string& path = delta_ ? delta_->file.path : (*manifest_)->full.path;
    HONE_TRY(const auto target, ports_.repository.find(path));
    HONE_TRY(fetch_,
             TargetFetch::begin(ports_.files, ports_.folder + "/fetch", *target, TrustedRepository::url_path(*target)));
  }
  HONE_TRY(const bool whole, fetch_->next(cloud));
  return whole ? UpdateEvent::fetched : UpdateEvent::nothing;
}

// A rollback names an older file, and the device may still have it: nothing to pull then.
bool Update::take_present() {
  const ModelHash& wanted = (*manifest_)->model;
  for (const auto* have : {&previous_, &installed_}) {
    if (!*have || (*have)->model != wanted) continue;
    auto taken =
        Patcher(ports_.files)
            .take_present(*manifest_, model_file(ports_.folder, (*have)->slot), model_file(ports_.folder, free_slot()));
    if (!taken) continue;  // overwritten or rotten: pull it
    patched_ = std::move(*taken);
    delta_.reset();
    return true;
  }
  return false;
}

Result<UpdateEvent> Update::patch() {
  if (patched_) return UpdateEvent::patched;
  HONE_CHECK(ports_.files.make_folders(ports_.folder + "/models"));
  const Patcher patcher(ports_.files);
  const std::string out = model_file(ports_.folder, free_slot());
  if (!delta_) {
    HONE_TRY(patched_, patcher.take_full(*manifest_, fetch_->path(), out));
    return UpdateEvent::patched;
  }
  auto rebuilt = patcher.apply_delta(*manifest_, model_file(ports_.folder, installed_->slot), fetch_->path(), out);
  if (!rebuilt) {
    const Code code = rebuilt.error().code;
    if (code == Code::unavailable || code == Code::no_space) return fail(rebuilt.error());
    // Wrong base or damaged: the full file needs neither a base nor a decoder.
    delta_failed_ = true;
    delta_.reset();
    fetched_bytes_ = fetched_bytes();
    fetch_.reset();
    return UpdateEvent::delta_unusable;
  }
  HONE_CHECK(ports_.files.remove(fetch_->path()));
  patched_ = std::move(*rebuilt);
  return UpdateEvent::patched;
}

Result<UpdateEvent> Update::test() {
  if (!ports_.slot.has_room()) return UpdateEvent::nothing;  // two models are in memory: never a third
  HONE_TRY(const Bytes onnx, read_model(ports_.files, patched_->path(), patched_->model(), (*manifest_)->full.bytes));
  HONE_TRY(model_, LiveModel::self_tested(ports_.runtime, onnx, **manifest_));
  return UpdateEvent::test_passed;
}

}  // namespace hone::edge
