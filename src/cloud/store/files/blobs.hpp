// Blobs in a folder: <folder>/ab/cd/abcd..., named by SHA-256. Written to <folder>/tmp, synced,
// renamed: a name is there only with all of its bytes. Safe for use by several threads.
#pragma once

#include <memory>
#include <string>

#include "base/files.hpp"
#include "cloud/ingest/blob_store.hpp"

namespace hone::cloud {

// `files` must outlive the store. What a crash left in tmp is removed.
[[nodiscard]] Result<std::unique_ptr<BlobStore>> open_blob_folder(Files& files, std::string folder);

}  // namespace hone::cloud
