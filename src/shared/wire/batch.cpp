#include "shared/wire/batch.hpp"

#include <zstd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "shared/wire/fields.hpp"
#include "shared/wire/safetensors.hpp"

namespace hone::wire {
namespace {

constexpr int kZstdLevel = 3;
// A window no larger than a batch: the frame can ask for no more memory than the bounds allow.
constexpr int kWindowLogMax = 25;
static_assert((std::size_t{1} << kWindowLogMax) == kBatchRawBytesMax);

constexpr std::string_view kIdKey = "hone.batch";
constexpr std::string_view kDeviceKey = "hone.device";
constexpr std::string_view kPipelineKey = "hone.pipeline";

std::string_view safetensors_name(DType dtype) {
  switch (dtype) {
    case DType::uint8: return "U8";
    case DType::int8: return "I8";
    case DType::int16: return "I16";
    case DType::int32: return "I32";
    case DType::float32: return "F32";
  }
  return "";
}

std::string text_of(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

Bytes little_endian(const std::vector<std::int64_t>& values) {
  Bytes bytes;
  bytes.reserve(values.size() * 8);
  for (const std::int64_t value : values)
    for (unsigned i = 0; i < 8; ++i)
      bytes.push_back(static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> (8 * i)));
  return bytes;
}

std::vector<std::int64_t> int64s(ByteView bytes) {
  std::vector<std::int64_t> values(bytes.size() / 8);
  for (std::size_t k = 0; k < values.size(); ++k) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < 8; ++i) value |= static_cast<std::uint64_t>(bytes[8 * k + i]) << (8 * i);
    values[k] = static_cast<std::int64_t>(value);
  }
  return values;
}

bool is_batch_id(std::string_view id) {
  return id.size() == 32 &&
         std::all_of(id.begin(), id.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// What must hold of a batch on either side of the wire.
Result<> check_batch(const Batch& batch, const Signal& signal) {
  if (!is_batch_id(batch.id.value)) return fail(Code::invalid, "the batch id must be 32 lower-case hex digits");
  if (!is_plain_name(batch.device.value)) return fail(Code::invalid, "the device id must be a plain name");
  if (!is_plain_name(batch.pipeline.value)) return fail(Code::invalid, "the pipeline must be a plain name");
  if (batch.y.empty() || batch.y.size() > kBatchSamplesMax)
    return fail(Code::invalid, "a batch holds 1 to 65536 samples, not " + std::to_string(batch.y.size()));
  if (batch.t.size() != batch.y.size() || batch.x.size() != batch.y.size() * signal.sample_bytes())
    return fail(Code::invalid, "x, y and t must have the same number of rows");
  const auto labels = static_cast<std::int64_t>(signal.labels.size());
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    const std::int64_t label = batch.y[row];
    if (label < kNoLabel || label >= labels)
      return fail(Code::invalid,
                  "row " + std::to_string(row) + " has the label " + std::to_string(label) + ", but " +
                      (labels == 0 ? std::string("the pipeline has no labels: send -1")
                                   : "labels go from 0 to " + std::to_string(labels - 1) + ", or -1 for none"));
    if (batch.t[row] < 0 || batch.t[row] > kTimeMsMax)
      return fail(Code::invalid, "row " + std::to_string(row) + " has a time that is no Unix time in ms");
  }
  return {};
}

Result<Bytes> compress(ByteView raw) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(), &ZSTD_freeCCtx);
  if (!context) return fail(Code::no_space, "no memory to compress a batch");
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kZstdLevel);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  Bytes out(ZSTD_compressBound(raw.size()));
  const std::size_t size = ZSTD_compress2(context.get(), out.data(), out.size(), raw.data(), raw.size());
  if (ZSTD_isError(size)) return fail(Code::no_space, std::string("zstd: ") + ZSTD_getErrorName(size));
  out.resize(size);
  return out;
}

Result<Bytes> decompress(ByteView frame) {
  if (frame.size() > kBatchCompressedBytesMax)
    return fail(Code::invalid, "a batch has at most 8388608 bytes, compressed; send fewer samples at once");
  const unsigned long long raw_bytes = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (raw_bytes == ZSTD_CONTENTSIZE_ERROR) return fail(Code::damaged, "the batch is no zstd frame");
  if (raw_bytes == ZSTD_CONTENTSIZE_UNKNOWN)
    return fail(Code::invalid, "the batch's zstd frame must state its content size");
  if (raw_bytes > kBatchRawBytesMax)
    return fail(Code::invalid, "a batch has at most 33554432 bytes, unpacked; send fewer samples at once");
  const std::size_t frame_bytes = ZSTD_findFrameCompressedSize(frame.data(), frame.size());
  if (ZSTD_isError(frame_bytes)) return fail(Code::damaged, "the batch's zstd frame is cut short or broken");
  if (frame_bytes != frame.size()) return fail(Code::damaged, "bytes follow the batch's zstd frame");

  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), &ZSTD_freeDCtx);
  if (!context) return fail(Code::no_space, "no memory to unpack a batch");
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kWindowLogMax);
  Bytes raw(static_cast<std::size_t>(raw_bytes));
  const std::size_t size = ZSTD_decompressDCtx(context.get(), raw.data(), raw.size(), frame.data(), frame.size());
  if (ZSTD_isError(size) || size != raw.size()) return fail(Code::damaged, "the batch's zstd frame is broken");
  return raw;
}

Result<std::string> metadata(const SafetensorsView& view, std::string_view key) {
  const auto found = view.metadata.find(key);
  if (found == view.metadata.end()) return fail(Code::invalid, "the batch's metadata lacks '" + std::string(key) + "'");
  return found->second;
}

Result<ByteView> column(const SafetensorsView& view, std::string_view name, std::string_view dtype,
                        const std::vector<std::int64_t>& shape) {
  const auto found = view.tensors.find(name);
  if (found == view.tensors.end()) return fail(Code::invalid, "the batch lacks the tensor '" + std::string(name) + "'");
  const TensorView& tensor = found->second;
  if (tensor.dtype != dtype)
    return fail(Code::invalid, "the tensor '" + std::string(name) + "' has the dtype " + tensor.dtype +
                                   ", the pipeline asks for " + std::string(dtype));
  if (tensor.shape != shape)
    return fail(Code::invalid, "the tensor '" + std::string(name) + "' has the shape " + text_of(tensor.shape) +
                                   ", the pipeline asks for " + text_of(shape));
  return tensor.bytes;
}

}  // namespace

Result<Bytes> encode(const Batch& batch, const Signal& signal) {
  HONE_CHECK(check(signal));
  HONE_CHECK(check_batch(batch, signal));
  const auto rows = static_cast<std::int64_t>(batch.rows());
  std::vector<std::int64_t> shape{rows};
  shape.insert(shape.end(), signal.shape.begin(), signal.shape.end());
  const Bytes t = little_endian(batch.t);
  const Bytes y = little_endian(batch.y);
  // Widest elements first, so that every tensor is aligned in the file.
  const Bytes raw = write_safetensors({{std::string(kIdKey), batch.id.value},
                                       {std::string(kDeviceKey), batch.device.value},
                                       {std::string(kPipelineKey), batch.pipeline.value}},
                                      {{"t", "I64", {rows}, t},
                                       {"y", "I64", {rows}, y},
                                       {"x", std::string(safetensors_name(signal.dtype)), shape, batch.x}});
  if (raw.size() > kBatchRawBytesMax)
    return fail(Code::invalid, "a batch has at most 33554432 bytes, unpacked; put fewer samples into it");
  HONE_TRY(Bytes packed, compress(raw));
  if (packed.size() > kBatchCompressedBytesMax)
    return fail(Code::invalid, "a batch has at most 8388608 bytes, compressed; put fewer samples into it");
  return packed;
}

Result<Batch> decode_batch(ByteView bytes, const Signal& signal) {
  HONE_TRY(const Bytes raw, decompress(bytes));
  HONE_TRY(const SafetensorsView view, parse_safetensors(raw));
  if (view.tensors.size() > 3) return fail(Code::invalid, "a batch holds the tensors x, y and t and no others");

  Batch batch;
  HONE_TRY(batch.id.value, metadata(view, kIdKey));
  HONE_TRY(batch.device.value, metadata(view, kDeviceKey));
  HONE_TRY(batch.pipeline.value, metadata(view, kPipelineKey));
  const auto y = view.tensors.find("y");
  if (y == view.tensors.end() || y->second.shape.size() != 1)
    return fail(Code::invalid, "the batch lacks the tensor 'y' with one axis");
  const std::int64_t rows = y->second.shape[0];
  std::vector<std::int64_t> shape{rows};
  shape.insert(shape.end(), signal.shape.begin(), signal.shape.end());
  HONE_TRY(const ByteView y_bytes, column(view, "y", "I64", {rows}));
  HONE_TRY(const ByteView t_bytes, column(view, "t", "I64", {rows}));
  HONE_TRY(const ByteView x_bytes, column(view, "x", safetensors_name(signal.dtype), shape));
  batch.y = int64s(y_bytes);
  batch.t = int64s(t_bytes);
  batch.x.assign(x_bytes.begin(), x_bytes.end());
  HONE_CHECK(check_batch(batch, signal));
  return batch;
}

}  // namespace hone::wire
