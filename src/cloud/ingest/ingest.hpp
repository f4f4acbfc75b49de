// Takes a batch in: checks that it is the device's own and fits the pipeline, and makes it durable
// before anybody says so. The raw batch is kept as it came; the dataset stage splits its rows.
#pragma once

#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "cloud/ingest/batch_store.hpp"
#include "cloud/ingest/blob_store.hpp"
#include "shared/pipeline/pipeline.hpp"

namespace hone::cloud {

struct Ingested {
  std::int64_t rows = 0;  // stored now; 0 for a duplicate
  bool duplicate = false;
};

// `device` is who the credential says is sending. Errors: invalid (does not fit, another device's,
// an id used for other content), damaged (broken in transit), no_space, unavailable. After an
// error nothing was acknowledged and the batch may be sent again.
[[nodiscard]] Result<Ingested> ingest(ByteView body, const DeviceId& device, const Pipeline& pipeline, Time received,
                                      BlobStore& blobs, BatchStore& batches);

}  // namespace hone::cloud
