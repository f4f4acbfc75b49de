#include "shared/delta/decode/journal.hpp"

#include "shared/delta/decode/memory.hpp"
#include "shared/delta/format/elements.hpp"

namespace hone::delta {
namespace {

constexpr uint8_t kMagicOfRecord[4] = {'H', 'N', 'D', 'J'};
constexpr uint8_t kRecordVersion = 1;
constexpr size_t kRecordBytes = 64;
constexpr uint64_t kSlotAlign = 4096;

}  // namespace

Journal::Journal(const Storage& storage, const uint8_t* patch_id, uint64_t payload_bytes_max)
    : storage_(storage), slot_bytes_((kRecordBytes + payload_bytes_max + kSlotAlign - 1) / kSlotAlign * kSlotAlign) {
  memcpy(patch_id_, patch_id, sizeof patch_id_);
}

Status Journal::load(Record& newest, uint8_t* scratch, size_t scratch_bytes) {
  newest = Record{};
  bool foreign = false;
  for (uint32_t slot = 0; slot < 2; ++slot) {
    const Record record = read_slot(slot, foreign, scratch, scratch_bytes);
    if (record.kind == RecordKind::none || record.sequence <= newest.sequence) continue;
    newest = record;
    sequence_ = record.sequence;
    slot_at_ = slot * slot_bytes_;
  }
  return newest.kind == RecordKind::none && foreign ? Status::foreign_journal : Status::ok;
}

// What is torn, rotten or of another patch counts as none.
Record Journal::read_slot(uint32_t slot, bool& foreign, uint8_t* scratch, size_t scratch_bytes) const {
  uint8_t head[kRecordBytes];
  const uint64_t start = slot * slot_bytes_;
  if (storage_.bytes(storage_.context, Place::journal) < start + kRecordBytes) return {};
  if (!storage_.read(storage_.context, Place::journal, start, head, sizeof head)) return {};
  Record record;
  if (memcmp(head, kMagicOfRecord, sizeof kMagicOfRecord) != 0 || head[4] != kRecordVersion) return {};
  if (head[5] == 0 || head[5] > static_cast<uint8_t>(RecordKind::last)) return {};
  record.kind = static_cast<RecordKind>(head[5]);
  record.sequence = load_element<8>(head + 8);
  record.place = load_element<8>(head + 24);
  record.content_bytes = load_element<8>(head + 32);
  record.state_bytes = load_element<8>(head + 40);
  const uint64_t room = storage_.bytes(storage_.context, Place::journal) - start - kRecordBytes;
  if (record.content_bytes > room || record.state_bytes > room - record.content_bytes) return {};
  Checksum sum;
  for (uint64_t at = 0, end = record.content_bytes + record.state_bytes; at < end;) {
    const size_t count = end - at < scratch_bytes ? static_cast<size_t>(end - at) : scratch_bytes;
    if (!storage_.read(storage_.context, Place::journal, start + kRecordBytes + at, scratch, count)) return {};
    sum.add(scratch, count);
    at += count;
  }
  sum.add(head, kRecordBytes - 8);
  if (sum.value() != load_element<8>(head + kRecordBytes - 8)) return {};
  if (memcmp(head + 16, patch_id_, sizeof patch_id_) == 0) return record;
  foreign = true;
  return {};
}

void Journal::begin() {
  slot_at_ = ((sequence_ + 1) & 1u) * slot_bytes_;
  appended_ = 0;
  sum_ = Checksum{};
}

bool Journal::append(const uint8_t* bytes, size_t count) {
  if (count > slot_bytes_ - kRecordBytes - appended_) return false;
  sum_.add(bytes, count);
  if (!storage_.write(storage_.context, Place::journal, slot_at_ + kRecordBytes + appended_, bytes, count)) return false;
  appended_ += count;
  return true;
}

bool Journal::commit(RecordKind kind, uint64_t place, uint64_t content_bytes, uint64_t state_bytes) {
  uint8_t head[kRecordBytes] = {};
  memcpy(head, kMagicOfRecord, sizeof kMagicOfRecord);
  head[4] = kRecordVersion;
  head[5] = static_cast<uint8_t>(kind);
  store_element<8>(head + 8, sequence_ + 1);
  memcpy(head + 16, patch_id_, sizeof patch_id_);
  store_element<8>(head + 24, place);
  store_element<8>(head + 32, content_bytes);
  store_element<8>(head + 40, state_bytes);
  sum_.add(head, kRecordBytes - 8);
  store_element<8>(head + kRecordBytes - 8, sum_.value());
  if (!storage_.write(storage_.context, Place::journal, slot_at_, head, sizeof head)) return false;
  if (!storage_.sync(storage_.context, Place::journal)) return false;
  ++sequence_;
  return true;
}

bool Journal::read(uint64_t offset, uint8_t* bytes, size_t count) const {
  return storage_.read(storage_.context, Place::journal, slot_at_ + kRecordBytes + offset, bytes, count);
}

}  // namespace hone::delta
