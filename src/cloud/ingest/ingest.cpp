#include "cloud/ingest/ingest.hpp"

#include <algorithm>
#include <string>

#include "shared/wire/batch.hpp"

namespace hone::cloud {

Result<Ingested> ingest(ByteView body, const DeviceId& device, const Pipeline& pipeline, Time received,
                        BlobStore& blobs, BatchStore& batches) {
  HONE_TRY(const wire::Batch batch, wire::decode_batch(body, pipeline.signal));
  if (batch.device != device) {
    return fail(Code::invalid, "batch " + batch.id.value + " says that it comes from " + batch.device.value +
                                   ", but it was sent with the credential of " + device.value);
  }
  if (batch.pipeline != pipeline.name) {
    return fail(Code::invalid, "batch " + batch.id.value + " is for pipeline '" + batch.pipeline.value +
                                   "', but it was sent to '" + pipeline.name.value + "'");
  }

  // The blob comes first: a crash between the two leaves bytes that nobody names, which is harmless.
  HONE_TRY(const BlobHash blob, blobs.put(body));
  StoredBatch row;
  row.id = batch.id;
  row.device = device;
  row.pipeline = pipeline.name;
  row.rows = static_cast<std::int64_t>(batch.rows());
  row.labelled = std::count_if(batch.y.begin(), batch.y.end(), [](std::int64_t y) { return y != wire::kNoLabel; });
  row.bytes = static_cast<std::int64_t>(body.size());
  row.blob = blob;
  row.received = received;
  HONE_TRY(const bool fresh, batches.add(row));
  return Ingested{fresh ? row.rows : 0, !fresh};
}

}  // namespace hone::cloud
