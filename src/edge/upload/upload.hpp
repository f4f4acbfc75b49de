// One segment becomes one batch on the wire. The batch id is the segment's, so that sending it again
// after a crash or a lost answer stores it once; the segment is removed only after the answer.
#pragma once

#include <cstdint>

#include "base/http.hpp"
#include "edge/spool/segment.hpp"
#include "shared/wire/batch.hpp"
#include "shared/wire/messages.hpp"

namespace hone::edge {

struct BatchToSend {
  std::uint64_t rows = 0;
  std::uint64_t rows_refused = 0;  // of the segment: they do not fit the signal, and never will
  Bytes body;                      // empty when no row fits
};

// The longest that one call may wait for the network.
constexpr Duration kUploadTimeout = std::chrono::seconds(30);

// Keeps the rows that fit `signal`. The same segment and signal always give the same bytes.
[[nodiscard]] Result<BatchToSend> batch_of(const Segment& segment, const DeviceId& device, const PipelineName& pipeline,
                                           const wire::Signal& signal);

// Sends it. Errors: unavailable, no_space (try later), untrusted (the credential is refused), invalid
// (the cloud will never take this batch), not_found (no such pipeline there, yet).
[[nodiscard]] Result<wire::BatchReply> send_batch(HttpClient& cloud, const PipelineName& pipeline, Bytes body);

}  // namespace hone::edge
