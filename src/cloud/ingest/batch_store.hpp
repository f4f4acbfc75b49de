// What ingest asks of a database: remember each batch once.
#pragma once

#include <cstdint>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace hone::cloud {

struct StoredBatch {
  BatchId id;
  DeviceId device;
  PipelineName pipeline;
  std::int64_t rows = 0;
  std::int64_t labelled = 0;  // rows with a label
  std::int64_t bytes = 0;     // as they came over the wire
  BlobHash blob;              // the raw batch
  Time received{};
};

// Safe for use by several threads.
class BatchStore {
 public:
  virtual ~BatchStore() = default;

  // Durable when it returns. False when this device sent this id with the same content before, so that
  // nothing was stored again; `invalid` when the id came with other content.
  [[nodiscard]] virtual Result<bool> add(const StoredBatch& batch) = 0;
};

}  // namespace hone::cloud
