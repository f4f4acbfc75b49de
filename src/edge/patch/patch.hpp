// From what was fetched to a model file whose hash is the signed one: a delta over the installed
// model, or the full file. The installed file is never touched: two model files take turns (A/B).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/files.hpp"
#include "shared/trust/verified.hpp"
#include "shared/wire/release.hpp"

namespace hone::edge {

// A model file, synced, whose SHA-256 is the manifest's. Made only here.
class PatchedModel {
 public:
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const ModelHash& model() const { return model_; }

 private:
  friend class Patcher;
  PatchedModel(std::string path, ModelHash model) : path_(std::move(path)), model_(model) {}
  std::string path_;
  ModelHash model_;
};

// The delta to pull: one whose base is the installed model and which is smaller than the full file.
// Nothing: pull the full file.
[[nodiscard]] std::optional<wire::ReleaseDelta> choose_delta(const wire::ReleaseManifest& manifest,
                                                             const std::optional<ModelHash>& installed);

class Patcher {
 public:
  explicit Patcher(Files& files) : files_(files) {}  // must outlive it

  // Rebuilds the model at `out` from the model at `base` and the delta. Errors: wrong_base, damaged
  // (take the full file instead), no_space, unavailable. On error `out` is gone.
  [[nodiscard]] Result<PatchedModel> apply_delta(const trust::Verified<wire::ReleaseManifest>& manifest,
                                                 const std::string& base, const std::string& delta,
                                                 const std::string& out) const;

  // Moves the fetched full file to `out`. `damaged` when it is not the manifest's.
  [[nodiscard]] Result<PatchedModel> take_full(const trust::Verified<wire::ReleaseManifest>& manifest,
                                               const std::string& fetched, const std::string& out) const;

  // Copies a model file that is on the device already (a rollback names an older one); `from` may be
  // `out` itself. `damaged` when it is not the manifest's, not_found when it is absent.
  [[nodiscard]] Result<PatchedModel> take_present(const trust::Verified<wire::ReleaseManifest>& manifest,
                                                  const std::string& from, const std::string& out) const;

 private:
  [[nodiscard]] Result<> write_target(const wire::ReleaseManifest& manifest, ByteView base, ByteView delta,
                                      const std::string& out) const;
  Files& files_;
};

// The bytes of a model file; `damaged` when their hash is another, not_found when it is absent.
[[nodiscard]] Result<Bytes> read_model(Files& files, const std::string& path, const ModelHash& model,
                                       std::uint64_t bytes);

}  // namespace hone::edge
