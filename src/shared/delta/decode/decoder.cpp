#include "shared/delta/decode/decoder.hpp"

#include "shared/delta/decode/memory.hpp"

// Makes an object anew where it is: a temporary one would take as much stack. (There may be no <new>.)
namespace {
struct Here {
  void* at;
};
}  // namespace
inline void* operator new(size_t, Here here) { return here.at; }

namespace hone::delta {

Status Decoder::init(const Callbacks& callbacks, void* workspace, size_t workspace_size, uint64_t target_bytes_max) {
  new (Here{this}) Decoder{};
  callbacks_ = callbacks;
  target_bytes_max_ = target_bytes_max;
  const size_t skip = (kAlign - (reinterpret_cast<uintptr_t>(workspace) & (kAlign - 1))) & (kAlign - 1);
  if (workspace == nullptr || workspace_size < skip) return status_ = Status::workspace_too_small;
  memory_ = static_cast<uint8_t*>(workspace) + skip;
  memory_size_ = workspace_size - skip;
  return status_ = Status::ok;
}

Status Decoder::pause_at(uint64_t target_offset) {
  if (status_ != Status::ok && status_ != Status::paused) return status_;
  if (target_offset <= written()) return Status::misuse;
  pause_at_ = target_offset;
  set_out_limit();
  return status_ = Status::ok;
}

Status Decoder::feed(const uint8_t* bytes, size_t count) {
  const size_t count_before = count;
  if (stage_ == Stage::end && status_ == Status::ok && count > 0) fail(Status::trailing_bytes);
  while (count > 0 && status_ == Status::ok) {
    if (carried_ == 0 && stage_ != Stage::header && count > kStepBytesMax) {
      run(bytes, bytes + count - kStepBytesMax);
      const size_t used = static_cast<size_t>(coder_.next - bytes);
      bytes += used;
      count -= used;
      if (stage_ == Stage::end && count > 0) fail(Status::trailing_bytes);
      if (used > 0 || status_ != Status::ok) continue;
    }
    const size_t room = sizeof carry_ - carried_;
    const size_t taken = count < room ? count : room;
    memcpy(carry_ + carried_, bytes, taken);
    carried_ += taken;
    bytes += taken;
    count -= taken;
    if (stage_ == Stage::header) {
      if (const Status read = read_header(carry_, carried_, header_); read != Status::ok) {
        if (read == Status::truncated) continue;
        fail(read);
        break;
      }
      begin();
      if (status_ != Status::ok) break;
      carried_ -= header_.bytes();
      memmove(carry_, carry_ + header_.bytes(), carried_);
    }
    if (carried_ <= kStepBytesMax) continue;
    const size_t rest = run_carried(carried_ - kStepBytesMax);
    if (stage_ == Stage::end && rest + count > 0) fail(Status::trailing_bytes);
    if (rest <= taken) {  // what is left came with this call: go on reading it in place
      bytes -= rest;
      count += rest;
      carried_ = 0;
    }
  }
  accepted_ += count_before - count;
  return status_;
}

// Runs on what is carried and keeps the rest of it, whose size it hands back.
size_t Decoder::run_carried(size_t limit) {
  run(carry_, carry_ + limit);
  const size_t used = static_cast<size_t>(coder_.next - carry_);
  if (used > carried_) {  // only at the patch's end: it looked beyond
    status_ = Status::truncated;
    return carried_ = 0;
  }
  carried_ -= used;
  memmove(carry_, carry_ + used, carried_);
  return carried_;
}

Status Decoder::finish() {
  if (status_ != Status::ok) return status_;
  if (stage_ == Stage::header) return status_ = Status::truncated;
  if (stage_ != Stage::end && carried_ > kStepBytesMax) run_carried(carried_ - kStepBytesMax);  // after a pause
  if (stage_ != Stage::end && status_ == Status::ok) {
    // The range decoder may look beyond the end, never use what it finds there.
    memset(carry_ + carried_, 0, sizeof carry_ - carried_);
    run_carried(carried_);
  }
  if (status_ != Status::ok) return status_;
  if (stage_ != Stage::end) return status_ = Status::truncated;
  if (carried_ > 0) return status_ = Status::trailing_bytes;
  if (!flush()) return status_;
  uint8_t digest[kHashBytes];
  callbacks_.hash_end(callbacks_.context, digest);
  if (memcmp(digest, header_.target_sha256, kHashBytes) != 0) return status_ = Status::wrong_target;
  return status_ = Status::done;
}

// The header was read.
void Decoder::begin() {
  if (const Status room = take_memory(); room != Status::ok) return fail(room);
  for (size_t i = 0; i < counters_of(header_.profile); ++i) counters_[i] = kEvenCounter;
  if (const Status base = check_base(); base != Status::ok) return fail(base);
  callbacks_.hash_begin(callbacks_.context);
  for (uint64_t& distance : generic_.rep) distance = header_.base_bytes == 0 ? 1 : header_.base_bytes;
  stage_ = Stage::prime;
}

// Lays out the workspace for the header's profile.
Status Decoder::take_memory() {
  if (kSmallOnly && header_.profile != Profile::small) return Status::unsupported_profile;
  if (header_.target_bytes > target_bytes_max_) return Status::target_too_large;
  const Dimensions d = dimensions(header_.profile);
  const size_t counter_bytes = counters_of(header_.profile) * sizeof(Counter);
  if (memory_size_ < counter_bytes + d.base_buffer_bytes + d.out_buffer_bytes + kOutSlackBytes)
    return Status::workspace_too_small;
  reach_ = reach_of(header_);
  counters_ = reinterpret_cast<Counter*>(memory_);
  base_ = memory_ + counter_bytes;
  base_size_ = d.base_buffer_bytes;
  out_ = base_ + base_size_;
  out_size_ = d.out_buffer_bytes;
  set_out_limit();
  return Status::ok;
}

Status Decoder::check_base() {
  if (callbacks_.base_bytes(callbacks_.context) != header_.base_bytes) return Status::wrong_base;
  callbacks_.hash_begin(callbacks_.context);
  for (uint64_t at = 0; at < header_.base_bytes;) {
    const uint64_t left = header_.base_bytes - at;
    const size_t count = left < base_size_ ? static_cast<size_t>(left) : base_size_;
    if (!callbacks_.read_base(callbacks_.context, at, base_, count)) return Status::io_base;
    callbacks_.hash_add(callbacks_.context, base_, count);
    at += count;
  }
  uint8_t digest[kHashBytes];
  callbacks_.hash_end(callbacks_.context, digest);
  return memcmp(digest, header_.base_sha256, kHashBytes) == 0 ? Status::ok : Status::wrong_base;
}

// Steps while a whole step's bytes are sure to be there: a step may begin at `limit`, not after it.
Status Decoder::run(const uint8_t* bytes, const uint8_t* limit) {
  coder_.next = bytes;
  read_from_ = bytes;
  while (status_ == Status::ok && stage_ != Stage::end && coder_.next <= limit) {
    if (stage_ == Stage::prime) {
      if (header_.target_bytes == 0) {
        stage_ = Stage::end;
        break;
      }
      for (int i = 0; i < 4; ++i) coder_.code = coder_.code << 8 | *coder_.next++;
      stage_ = Stage::head;
    } else if (header_.profile == Profile::small) {
      step<Profile::small>(limit);
    } else if constexpr (!kSmallOnly) {
      step<Profile::standard>(limit);
    }
    if (coder_.bad != 0) fail(Status::damaged);
  }
  read_ += static_cast<uint64_t>(coder_.next - bytes);
  return status_;
}

template <Profile kProfile>
void Decoder::step(const uint8_t* limit) {
  switch (stage_) {
    case Stage::head: return step_head<kProfile>();
    case Stage::generic: return step_generic<kProfile>(limit);
    case Stage::copy: return step_copy();
    case Stage::residual:
    case Stage::intra: return step_values<kProfile>(limit);
    case Stage::lattice: return step_lattice<kProfile>(limit);
    case Stage::low_rank: return step_low_rank<kProfile>(limit);
    case Stage::stored: return step_stored(limit);
    case Stage::header:
    case Stage::prime:
    case Stage::end: break;
  }
}

template <Profile kProfile>
void Decoder::step_head() {
  const uint64_t patch_offset = header_.bytes() + read_ + static_cast<uint64_t>(coder_.next - read_from_);
  if (!code_operation<kProfile>(coder_, counters_, heads_, header_.base_bytes, header_.target_bytes - written(), operation_))
    return fail(Status::damaged);
  left_ = operation_.bytes;
  if (callbacks_.on_operation != nullptr)
    callbacks_.on_operation(callbacks_.context, operation_, written(), patch_offset);
  if (has_base(operation_.op)) {
    if (!reach_.reaches(operation_.base_offset, written(), operation_.bytes)) return fail(Status::out_of_reach);
    note_alignment(generic_, header_.base_bytes + written() - operation_.base_offset);
  }
  if (has_values(operation_.op)) start_values(values_, values_type_, operation_);
  factors_known_ = 0;
  if (operation_.op != Op::generic) generic_.before = 0;
  stage_ = stage_of(operation_.op);
}

void Decoder::end_operation() { stage_ = written() == header_.target_bytes ? Stage::end : Stage::head; }

template <Profile kProfile>
void Decoder::step_generic(const uint8_t* limit) {
  while (status_ == Status::ok && coder_.bad == 0) {
    if (match_left_ > 0) {
      if (!copy_match()) return;
      continue;
    }
    if (left_ == 0) return end_operation();
    if (coder_.next > limit || !has_room()) return;
    Match match{};
    if (!code_symbol<kProfile>(coder_, counters_, generic_, written(), left_, match)) return fail(Status::damaged);
    left_ -= match.length;
    if (match.kind == Symbol::literal) {
      const int expected = expected_byte();
      if (status_ != Status::ok) return;
      out_[out_used_++] = static_cast<uint8_t>(
          code_literal<kProfile>(coder_, counters_, generic_, static_cast<uint32_t>(expected), 0));
    } else if (!begin_match(match.distance, match.length)) {
      return;
    }
  }
}

// The byte at the most recent distance, or 256.
int Decoder::expected_byte() {
  const uint64_t end = header_.base_bytes + written();
  const uint64_t distance = generic_.rep[0];
  if (distance == 0 || distance > end) return 256;
  const uint64_t at = end - distance;
  if (at < header_.base_bytes) {
    if (!reach_.reaches(at, written(), 1)) return 256;
    size_t have = 0;
    const uint8_t* window = base_window(at, 1, have);
    return window == nullptr ? 256 : *window;
  }
  const uint64_t place = at - header_.base_bytes;
  if (place >= flushed_) return out_[place - flushed_];
  uint8_t byte = 0;
  if (!callbacks_.read_target(callbacks_.context, place, &byte, 1)) fail(Status::io_target);
  return byte;
}

bool Decoder::begin_match(uint64_t distance, uint64_t length) {
  const uint64_t end = header_.base_bytes + written();
  if (distance == 0 || distance > end) return fail(Status::damaged), false;
  match_at_ = end - distance;
  if (!reach_.reaches(match_at_, written(), length)) return fail(Status::out_of_reach), false;
  match_left_ = length;
  return true;
}

// As far as it goes before a pause.
bool Decoder::copy_match() {
  while (match_left_ > 0 && has_room()) {
    const size_t room = out_limit_ - out_used_;
    size_t count = match_left_ < room ? static_cast<size_t>(match_left_) : room;
    const uint64_t at = match_at_;
    if (at < header_.base_bytes) {
      const uint64_t in_base = header_.base_bytes - at;
      if (count > in_base) count = static_cast<size_t>(in_base);
      size_t have = 0;
      const uint8_t* window = base_window(at, count, have);
      if (window == nullptr) return false;
      if (count > have) count = have;
      memcpy(out_ + out_used_, window, count);
    } else {
      const uint64_t place = at - header_.base_bytes;
      if (place >= flushed_) {  // inside the buffer; may overlap what is being written
        const uint8_t* from = out_ + (place - flushed_);
        uint8_t* to = out_ + out_used_;
        for (size_t i = 0; i < count; ++i) to[i] = from[i];
      } else {
        if (count > flushed_ - place) count = static_cast<size_t>(flushed_ - place);
        if (!callbacks_.read_target(callbacks_.context, place, out_ + out_used_, count)) fail(Status::io_target);
      }
    }
    note_bytes(generic_, out_ + out_used_, count);
    out_used_ += count;
    match_at_ += count;
    match_left_ -= count;
  }
  return status_ == Status::ok;
}

void Decoder::step_copy() {
  while (left_ > 0 && has_room()) {
    const size_t room = out_limit_ - out_used_;
    const size_t count = left_ < room ? static_cast<size_t>(left_) : room;
    const uint64_t at = operation_.base_offset + (operation_.bytes - left_);
    if (!callbacks_.read_base(callbacks_.context, at, out_ + out_used_, count)) return fail(Status::io_base);
    out_used_ += count;
    left_ -= count;
  }
  if (left_ == 0) end_operation();
}

void Decoder::step_stored(const uint8_t* limit) {
  while (left_ > 0 && coder_.next <= limit && coder_.bad == 0 && has_room()) {
    out_[out_used_++] = static_cast<uint8_t>(coder_.raw(0, 8));
    --left_;
  }
  if (left_ == 0) end_operation();
}

// At least `want` bytes of the base from `offset` (which lie in the base); null after a failure.
const uint8_t* Decoder::base_window(uint64_t offset, size_t want, size_t& have) {
  if (offset < base_at_ || offset >= base_at_ + base_used_ || base_at_ + base_used_ - offset < want) {
    const uint64_t left = header_.base_bytes - offset;
    const size_t count = left < base_size_ ? static_cast<size_t>(left) : base_size_;
    if (!callbacks_.read_base(callbacks_.context, offset, base_, count)) {
      base_used_ = 0;
      fail(Status::io_base);
      return nullptr;
    }
    base_at_ = offset;
    base_used_ = count;
  }
  have = static_cast<size_t>(base_at_ + base_used_ - offset);
  return base_ + (offset - base_at_);
}

// Hands over what there is, up to the pause. True: go on.
bool Decoder::flush() {
  if (status_ != Status::ok) return false;
  const uint64_t to_pause = pause_at_ - flushed_;
  const size_t count = out_used_ < to_pause ? out_used_ : static_cast<size_t>(to_pause);
  if (count > 0) {
    callbacks_.hash_add(callbacks_.context, out_, count);
    if (!callbacks_.write_target(callbacks_.context, out_, count)) {
      fail(Status::io_target);
      return false;
    }
    flushed_ += count;
    out_used_ -= count;
    if (out_used_ > 0) memmove(out_, out_ + count, out_used_);  // of an element: less than the slack
  }
  if (flushed_ == pause_at_) status_ = Status::paused;
  else set_out_limit();
  return status_ == Status::ok;
}

}  // namespace hone::delta
