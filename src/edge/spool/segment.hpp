// One spool file: a header and records, appended. docs/formats/spool.md has the byte table.
//
// A record is whole or it is not there: each carries its length and a CRC-32, and reading stops at
// the first that does not fit, which is what a power cut leaves at the end of a file.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "edge/sense/sense.hpp"

namespace hone::edge {

// Which signal the samples were checked against; all zero: none was known yet.
using SignalPrint = std::array<std::uint8_t, 16>;
[[nodiscard]] SignalPrint print_of(const wire::Signal& signal);

constexpr std::size_t kSegmentHeaderBytes = 48;
constexpr std::size_t kRecordHeaderBytes = 20;
// The largest file that is ever written: the last record may pass the sealing bound.
constexpr std::uint64_t kSegmentFileBytesMax = 64u << 20;

struct SegmentHeader {
  BatchId batch;  // 32 hex digits; the upload's id, so that a resend after a reboot is recognised
  SignalPrint signal{};
};

struct Record {
  std::size_t offset = 0;  // of its bytes in `Segment::bytes`
  std::size_t size = 0;
  std::int64_t label = -1;
  Time at{};
};

struct Segment {
  SegmentHeader header;
  Bytes bytes;  // the samples, one after another
  std::vector<Record> records;
  std::uint64_t valid_bytes = 0;  // of the file; what follows is torn
};

[[nodiscard]] Bytes encode(const SegmentHeader& header);
void append_record(Bytes& out, const Sample& sample);  // sizes checked by check(Sample)

// `damaged` when the header is torn or not ours; a torn tail is no error.
[[nodiscard]] Result<Segment> parse_segment(ByteView file);

}  // namespace hone::edge
