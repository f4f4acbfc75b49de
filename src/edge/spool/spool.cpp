#include "edge/spool/spool.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace hone::edge {
namespace {

constexpr std::uint64_t kSegmentBytesLimit = 8u << 20;  // well below what one batch may hold
constexpr std::string_view kSuffix = ".seg";

std::string name_of_segment(std::uint64_t seq) {
  std::string digits = std::to_string(seq);
  return std::string(12 - std::min<std::size_t>(12, digits.size()), '0') + digits + std::string(kSuffix);
}

// The number of "000000000042.seg", or nothing for any other name.
std::optional<std::uint64_t> seq_of(std::string_view name) {
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  std::uint64_t seq = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), seq);
  if (error != std::errc() || end != name.data() + name.size() || seq == 0) return std::nullopt;
  return seq;
}

// What a queued record may need on disk: it may begin a segment.
std::size_t accounted(const Bytes& record) {
  return record.size() + kSegmentHeaderBytes;
}

SpoolOptions within_limits(SpoolOptions o) {
  o.segment_rows_max = std::clamp<std::size_t>(o.segment_rows_max, 1, 65536);
  // A dropped segment should be a small part of what the bound allows.
  o.segment_bytes_max = std::clamp<std::uint64_t>(
      o.segment_bytes_max, 1, std::min(kSegmentBytesLimit, std::max<std::uint64_t>(o.bytes_max / 4, 1)));
  return o;
}

}  // namespace

Result<std::unique_ptr<Spool>> Spool::open(Files& files, std::string folder, SpoolOptions options, Random& random) {
  HONE_CHECK(files.make_folders(folder));
  std::unique_ptr<Spool> spool(new Spool(files, std::move(folder), within_limits(options), random));
  HONE_CHECK(spool->find_segments());
  return spool;
}

Spool::Spool(Files& files, std::string folder, SpoolOptions options, Random& random)
    : files_(files), random_(random), folder_(std::move(folder)), options_(options) {}

Result<> Spool::find_segments() {
  HONE_TRY(const auto names, files_.list(folder_));
  for (const std::string& name : names) {
    const auto seq = seq_of(name);
    if (!seq) continue;
    next_seq_ = std::max(next_seq_, *seq + 1);
    const std::string path = folder_ + "/" + name;
    HONE_TRY(const Bytes bytes, read_file(files_, path, kSegmentFileBytesMax));
    const auto segment = parse_segment(bytes);
    // Nothing durable is in a file without a whole header: it is synced before any row counts.
    if (!segment || segment->records.empty()) {
      HONE_CHECK(files_.remove(path));
      continue;
    }
    // After the death of a process its rows may still be only in the system's cache.
    HONE_TRY(const auto file, files_.open(path, OpenMode::write));
    HONE_CHECK(file->sync());
    sealed_.push_back({*seq, segment->records.size(), bytes.size()});
  }
  std::sort(sealed_.begin(), sealed_.end(), [](const auto& a, const auto& b) { return a.seq < b.seq; });
  if (!sealed_.empty()) HONE_CHECK(files_.sync_folder(folder_));
  show();
  return {};
}

Result<> Spool::append(const Sample& sample) {
  Queued queued{{}, sample.at};
  queued.record.reserve(kRecordHeaderBytes + sample.bytes.size());
  append_record(queued.record, sample);
  const std::size_t size = accounted(queued.record);
  if (size > options_.bytes_max) {
    return fail(Code::no_space,
                "the sample is larger than the spool's bound of " + std::to_string(options_.bytes_max) + " bytes");
  }
  const auto push = [&] {  // with queue_mutex_ held
    queue_bytes_ += size;
    queue_.push_back(std::move(queued));
  };
  const auto has_room = [&] { return queue_.empty() || queue_bytes_ + size <= options_.queue_bytes_max; };
  {
    const std::lock_guard lock(queue_mutex_);
    if (options_.refuse_when_full && disk_.bytes + queue_bytes_ + size > options_.bytes_max) {
      return fail(Code::no_space, "the spool holds its " + std::to_string(options_.bytes_max) +
                                      " bytes; new samples are refused until some are uploaded");
    }
    if (has_room()) {
      push();
      return {};
    }
  }
  // The stepping thread lags behind: write here, so that nothing is lost and memory stays bounded.
  const std::lock_guard files_lock(file_mutex_);
  HONE_CHECK(drain());
  const std::lock_guard lock(queue_mutex_);
  push();
  return {};
}

Result<> Spool::sync() {
  const std::lock_guard lock(file_mutex_);
  HONE_CHECK(drain());
  return sync_open();
}

Result<> Spool::flush(Time now, Duration flush_after, const SignalPrint& signal) {
  const std::lock_guard lock(file_mutex_);
  HONE_CHECK(drain());
  HONE_CHECK(sync_open());
  const bool changed = signal != signal_;
  if (open_) {
    // A clock that was set back must not keep samples for ever.
    const bool old = now - open_->oldest >= flush_after || now < open_->oldest;
    if (changed || (old && sealed_.empty())) HONE_CHECK(seal());
  }
  signal_ = signal;
  return {};
}

std::optional<SealedSegment> Spool::oldest() const {
  const std::lock_guard lock(file_mutex_);
  if (sealed_.empty()) return std::nullopt;
  return sealed_.front();
}

Result<Segment> Spool::read(const SealedSegment& segment) const {
  HONE_TRY(const Bytes bytes, read_file(files_, path_of(segment.seq), kSegmentFileBytesMax));
  return parse_segment(bytes);
}

Result<> Spool::remove(const SealedSegment& segment) {
  const std::lock_guard lock(file_mutex_);
  HONE_CHECK(files_.remove(path_of(segment.seq)));
  std::erase_if(sealed_, [&](const SealedSegment& s) { return s.seq == segment.seq; });
  show();
  return {};
}

SpoolStatus Spool::status() const {
  const std::lock_guard lock(queue_mutex_);
  SpoolStatus status = disk_;
  status.rows += queue_.size();
  return status;
}

// Moves the queue to the open segment, in order. On an error the rest stays queued.
Result<> Spool::drain() {
  for (;;) {
    Queued next;
    {
      const std::lock_guard lock(queue_mutex_);
      if (queue_.empty()) return {};
      next = std::move(queue_.front());
      queue_.pop_front();
    }
    const auto written = write(next);
    const std::size_t size = accounted(next.record);
    if (written) show();
    const std::lock_guard lock(queue_mutex_);
    if (!written) {
      queue_.push_front(std::move(next));
      return written;
    }
    queue_bytes_ -= size;
  }
}

// One record; when the disk itself is full, the oldest segments give way as for our own bound.
Result<> Spool::write(const Queued& queued) {
  for (;;) {
    const auto written = write_record(queued);
    if (written || written.error().code != Code::no_space || options_.refuse_when_full || !drop_oldest())
      return written;
  }
}

Result<> Spool::write_record(const Queued& queued) {
  const std::uint64_t size = queued.record.size();
  if (open_ && (open_->rows >= options_.segment_rows_max || open_->bytes + size > options_.segment_bytes_max)) {
    if (open_->rows > 0) HONE_CHECK(seal());
  }
  HONE_CHECK(make_room(size + (open_ ? 0 : kSegmentHeaderBytes)));
  if (!open_) HONE_CHECK(start_segment());
  // A failed write may leave a part behind: the next one goes to the same place.
  HONE_CHECK(open_->file->write_at(open_->bytes, queued.record));
  if (open_->rows == 0) open_->oldest = queued.at;
  open_->bytes += size;
  open_->rows += 1;
  return {};
}

Result<> Spool::start_segment() {
  Open next;
  next.seq = next_seq_;
  HONE_TRY(next.file, files_.open(path_of(next.seq), OpenMode::truncate));
  const Bytes header = encode(SegmentHeader{BatchId(random_.hex(16)), signal_});
  HONE_CHECK(next.file->write_at(0, header));
  next.bytes = header.size();
  open_ = std::move(next);
  ++next_seq_;
  return {};
}

Result<> Spool::sync_open() {
  if (!open_ || open_->rows_synced == open_->rows) return {};
  HONE_CHECK(open_->file->sync());
  if (!open_->name_synced) {
    HONE_CHECK(files_.sync_folder(folder_));
    open_->name_synced = true;
  }
  open_->rows_synced = open_->rows;
  show();
  return {};
}

// Synced before it is sealed, so that a batch id never stands for fewer rows after a power cut.
Result<> Spool::seal() {
  HONE_CHECK(sync_open());
  sealed_.push_back({open_->seq, open_->rows, open_->bytes});
  open_.reset();
  show();
  return {};
}

Result<> Spool::make_room(std::uint64_t bytes) {
  while (bytes_on_disk() + bytes > options_.bytes_max) {
    if (options_.refuse_when_full)
      return fail(Code::no_space, "the spool holds its " + std::to_string(options_.bytes_max) + " bytes");
    if (drop_oldest()) continue;
    if (!open_ || open_->rows == 0) return fail(Code::no_space, "the spool's bound leaves no room for one sample");
    HONE_CHECK(seal());
    bytes += kSegmentHeaderBytes;  // a new segment will be started
  }
  return {};
}

bool Spool::drop_oldest() {
  if (sealed_.empty() || !files_.remove(path_of(sealed_.front().seq))) return false;
  rows_dropped_ += sealed_.front().rows;
  sealed_.pop_front();
  show();
  return true;
}

std::string Spool::path_of(std::uint64_t seq) const {
  return folder_ + "/" + name_of_segment(seq);
}

std::uint64_t Spool::bytes_on_disk() const {
  std::uint64_t bytes = open_ ? open_->bytes : 0;
  for (const auto& s : sealed_) bytes += s.bytes;
  return bytes;
}

void Spool::show() {
  SpoolStatus now;
  for (const auto& s : sealed_) now.rows += s.rows;
  now.rows_durable = now.rows + (open_ ? open_->rows_synced : 0);
  now.rows += open_ ? open_->rows : 0;
  now.bytes = bytes_on_disk();
  now.rows_dropped = rows_dropped_;
  const std::lock_guard lock(queue_mutex_);
  disk_ = now;
}

}  // namespace hone::edge
