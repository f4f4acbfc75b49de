// A batch on the wire: a zstd frame around a safetensors file with tensors
//   x [n, ...shape] of the signal's dtype, y [n] I64 (-1: no label), t [n] I64 (Unix ms)
// and, in its __metadata__: hone.batch (the id), hone.device, hone.pipeline.
// Little-endian, samples in the order in which they were observed. docs/formats/batch.md.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "shared/wire/signal.hpp"

namespace hone::wire {

constexpr std::int64_t kNoLabel = -1;

// Bounds that both sides enforce.
constexpr std::size_t kBatchCompressedBytesMax = 8u << 20;
constexpr std::size_t kBatchRawBytesMax = 32u << 20;
constexpr std::size_t kBatchSamplesMax = 65536;

// Rows of samples, packed one after another.
struct Batch {
  BatchId id;
  DeviceId device;
  PipelineName pipeline;
  Bytes x;                      // rows() * signal.sample_bytes()
  std::vector<std::int64_t> y;  // label index, or kNoLabel
  std::vector<std::int64_t> t;  // Unix ms

  [[nodiscard]] std::size_t rows() const { return y.size(); }
};

// The same batch always gives the same bytes.
[[nodiscard]] Result<Bytes> encode(const Batch& batch, const Signal& signal);

// Checks every bound before it allocates, and that shape, dtype and labels fit the signal.
// `invalid` names what is wrong, `damaged` for a broken zstd frame.
[[nodiscard]] Result<Batch> decode_batch(ByteView bytes, const Signal& signal);

}  // namespace hone::wire
