// Makes the files of a release: the manifest, and a delta from each of the last distinct models that
// devices may run. Everything goes to the blob store, so that publishing can be repeated from there.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cloud/ingest/blob_store.hpp"
#include "cloud/release/release_store.hpp"
#include "shared/wire/release.hpp"

namespace hone::cloud {

struct DeltaBase {
  ModelHash model;
  std::optional<BlobHash> hints{};  // what the trainer knows of the way from here; unreadable ones cost size only
};

// From which files deltas lead to `target`, which is of `format`: the last published releases' files of that format, each
// once, newest first, at most `count`. `releases` newest first.
[[nodiscard]] std::vector<DeltaBase> delta_bases(const std::vector<ReleaseRow>& releases, const ModelHash& target,
                                                 std::int64_t count, std::string_view format = wire::kPlainFormat);

// One file of a release that is to be prepared.
struct FilePlan {
  wire::SelfTest self_test;  // the inputs are the same for all files of a release
  std::vector<DeltaBase> bases;
};

// Durable when it returns; gives the manifest's blob. The same arguments give the same manifest. A delta
// that is not smaller than the full file is left out. `release.judged` becomes the manifest's `created`.
// `exports` are those of release.exports, in their order.
[[nodiscard]] Result<BlobHash> prepare(const ReleaseRow& release, const wire::Signal& signal, const FilePlan& plain,
                                       const std::vector<FilePlan>& exports, BlobStore& blobs);

}  // namespace hone::cloud
