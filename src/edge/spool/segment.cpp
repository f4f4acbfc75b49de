#include "edge/spool/segment.hpp"

#include <algorithm>
#include <string_view>

#include "base/hash.hpp"
#include "base/json.hpp"

namespace hone::edge {
namespace {

constexpr std::string_view kMagic("hone-spool\0\1", 12);  // the last byte is the format version
constexpr std::size_t kBatchAt = 12, kSignalAt = 28, kHeaderCrcAt = 44;
static_assert(kHeaderCrcAt + 4 == kSegmentHeaderBytes);

void put(Bytes& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

std::uint64_t get(ByteView in, std::size_t at, int bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value |= static_cast<std::uint64_t>(in[at + static_cast<std::size_t>(i)]) << (8 * i);
  return value;
}

}  // namespace

SignalPrint print_of(const wire::Signal& signal) {
  const Sha256 hash = sha256(dump_bytes(wire::to_json(signal)));
  SignalPrint print{};
  std::copy_n(hash.bytes.begin(), print.size(), print.begin());
  return print;
}

Bytes encode(const SegmentHeader& header) {
  Bytes out = to_bytes(kMagic);
  Bytes id = from_hex(header.batch.value).value_or(Bytes{});
  id.resize(16);
  out.insert(out.end(), id.begin(), id.end());
  out.insert(out.end(), header.signal.begin(), header.signal.end());
  put(out, crc32(out), 4);
  return out;
}

void append_record(Bytes& out, const Sample& sample) {
  const std::size_t start = out.size();
  put(out, sample.bytes.size(), 4);
  put(out, 0, 4);
  put(out, static_cast<std::uint64_t>(unix_ms(sample.at)), 8);
  put(out, static_cast<std::uint64_t>(sample.label), 4);
  out.insert(out.end(), sample.bytes.begin(), sample.bytes.end());
  // The CRC covers all but itself: the length before it, and what follows.
  const ByteView record = ByteView(out).subspan(start);
  const std::uint32_t crc = crc32(record.subspan(8), crc32(record.first(4)));
  for (int i = 0; i < 4; ++i) out[start + 4 + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(crc >> (8 * i));
}

Result<Segment> parse_segment(ByteView file) {
  if (file.size() < kSegmentHeaderBytes || crc32(file.first(kHeaderCrcAt)) != get(file, kHeaderCrcAt, 4)) {
    return fail(Code::damaged, "spool segment: the header is torn");
  }
  if (as_text(file.first(kMagic.size())) != kMagic) {
    return fail(Code::damaged, "spool segment: not a segment of format version 1");
  }
  Segment segment;
  segment.header.batch = BatchId(to_hex(file.subspan(kBatchAt, 16)));
  std::copy_n(file.begin() + kSignalAt, segment.header.signal.size(), segment.header.signal.begin());
  std::size_t at = kSegmentHeaderBytes;
  while (file.size() - at >= kRecordHeaderBytes) {
    const std::size_t size = get(file, at, 4);
    if (size == 0 || size > file.size() - at - kRecordHeaderBytes) break;
    const ByteView record = file.subspan(at, kRecordHeaderBytes + size);
    if (crc32(record.subspan(8), crc32(record.first(4))) != get(record, 4, 4)) break;
    const auto label = static_cast<std::int32_t>(get(record, 16, 4));
    segment.records.push_back(
        {segment.bytes.size(), size, label, from_unix_ms(static_cast<std::int64_t>(get(record, 8, 8)))});
    const ByteView bytes = record.subspan(kRecordHeaderBytes);
    segment.bytes.insert(segment.bytes.end(), bytes.begin(), bytes.end());
    at += record.size();
  }
  segment.valid_bytes = at;
  return segment;
}

}  // namespace hone::edge
