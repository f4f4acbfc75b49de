#include "shared/delta/decode/applier.hpp"

#include "shared/delta/decode/memory.hpp"

namespace hone::delta {

Status Applier::apply_in_place(uint64_t target_bytes_max) {
  in_place_ = true;
  if (const Status read = read_patch_head(); read != Status::ok) return read;
  if (header_.block_log2 == 0) return Status::not_in_place;
  if (header_.target_bytes > target_bytes_max) return Status::target_too_large;
  if (const Status hashed = hash_patch(); hashed != Status::ok) return hashed;
  if (memcmp(patch_id_, header_.check, kCheckBytes) != 0) return Status::damaged;

  Journal journal(storage_, patch_id_, header_.block_bytes() + Decoder::state_bytes(header_.profile));
  Record from;
  if (const Status started = start_in_place(journal, from); started != Status::ok) return started;
  if (from.kind == RecordKind::none) return complete();
  if (from.kind == RecordKind::move) {
    if (const Status moved = move_base(journal, from.place); moved != Status::ok) return moved;
  }
  return decode(journal, from, target_bytes_max, header_.block_bytes());
}

Status Applier::apply_beside(uint64_t target_bytes_max, uint64_t step_bytes) {
  in_place_ = false;
  if (const Status read = read_patch_head(); read != Status::ok) return read;
  if (step_bytes == 0) step_bytes = uint64_t{1} << (header_.profile == Profile::small ? 20 : 22);
  if (step_bytes < kOutSlackBytes) return Status::misuse;
  if (header_.target_bytes > target_bytes_max) return Status::target_too_large;
  if (const Status hashed = hash_patch(); hashed != Status::ok) return hashed;
  if (header_.block_log2 != 0 && memcmp(patch_id_, header_.check, kCheckBytes) != 0) return Status::damaged;

  Journal journal(storage_, patch_id_, Decoder::state_bytes(header_.profile));
  Record from;
  // The old file is whole: what another patch has left is simply forgotten.
  if (journal.load(from, scratch_, scratch_bytes_) != Status::ok) from = Record{};
  if (from.kind != RecordKind::block || from.place > storage_.bytes(storage_.context, Place::target)) from = Record{};
  const Status status = decode(journal, from, target_bytes_max, step_bytes);
  const bool was_spoilt = status == Status::wrong_target || status == Status::bad_state;
  return from.kind == RecordKind::block && was_spoilt ? decode(journal, {}, target_bytes_max, step_bytes) : status;
}

Status Applier::read_patch_head() {
  uint8_t head[kInPlaceHeaderBytes];
  const size_t count = storage_.patch_bytes < sizeof head ? static_cast<size_t>(storage_.patch_bytes) : sizeof head;
  if (!storage_.read_patch(storage_.context, 0, head, count)) return Status::io_base;
  if (const Status read = read_header(head, count, header_); read != Status::ok) return read;
  const size_t decoder_bytes = Decoder::workspace_bytes(header_.profile);
  if (workspace_bytes_ < decoder_bytes + kScratchBytesMin) return Status::workspace_too_small;
  scratch_ = workspace_ + decoder_bytes;
  scratch_bytes_ = workspace_bytes_ - decoder_bytes;
  return Status::ok;
}

// The first bytes of the SHA-256 of the patch, without its check, are its name in the journal.
Status Applier::hash_patch() {
  storage_.hash_begin(storage_.context);
  for (uint64_t at = 0; at < storage_.patch_bytes;) {
    uint64_t end = storage_.patch_bytes;
    if (header_.block_log2 != 0 && at < kCheckOffset) end = kCheckOffset;
    const size_t count = end - at < scratch_bytes_ ? static_cast<size_t>(end - at) : scratch_bytes_;
    if (!storage_.read_patch(storage_.context, at, scratch_, count)) return Status::io_base;
    storage_.hash_add(storage_.context, scratch_, count);
    at += count;
    if (header_.block_log2 != 0 && at == kCheckOffset) at += kCheckBytes;
  }
  uint8_t digest[kHashBytes];
  storage_.hash_end(storage_.context, digest);
  memcpy(patch_id_, digest, sizeof patch_id_);
  return Status::ok;
}

// Finds out where to go on; at the beginning, makes a record before anything is written. No record and ok:
// the file is the target already.
Status Applier::start_in_place(Journal& journal, Record& from) {
  const Status loaded = journal.load(from, scratch_, scratch_bytes_);
  const uint64_t bytes = storage_.bytes(storage_.context, Place::target);
  uint8_t digest[kHashBytes];
  if (bytes == header_.base_bytes || bytes == header_.target_bytes) {
    if (!hash_target(bytes, digest)) return Status::io_base;
    if (bytes == header_.target_bytes && memcmp(digest, header_.target_sha256, kHashBytes) == 0) {
      from = Record{};
      return Status::ok;
    }
    if (bytes == header_.base_bytes && memcmp(digest, header_.base_sha256, kHashBytes) == 0) {
      // Nothing has happened to the file, whatever the journal says.
      const uint64_t blocks = (header_.base_bytes + header_.block_bytes() - 1) >> header_.block_log2;
      from = Record{};
      from.kind = RecordKind::move;
      from.place = header_.shift_blocks == 0 ? 0 : blocks;
      journal.begin();
      return journal.commit(from.kind, from.place, 0, 0) ? Status::ok : Status::io_journal;
    }
  }
  if (loaded != Status::ok) return loaded;
  return from.kind == RecordKind::none ? Status::wrong_base : Status::ok;
}

// From the last block to the first. A block's old place is overwritten only by the move of the one that is
// `shift` blocks before it, so that many blocks can be moved, and moved again after a cut, between two
// records.
Status Applier::move_base(Journal& journal, uint64_t blocks_left) {
  const uint64_t end = header_.base_bytes + header_.shift_bytes();
  if (blocks_left > 0 && storage_.bytes(storage_.context, Place::target) < end &&
      !storage_.resize(storage_.context, Place::target, end))
    return Status::io_target;
  while (blocks_left > 0) {
    for (uint32_t moved = 0; moved < header_.shift_blocks && blocks_left > 0; ++moved) {
      const uint64_t at = --blocks_left << header_.block_log2;
      const uint64_t left = header_.base_bytes - at;
      const uint64_t count = left < header_.block_bytes() ? left : header_.block_bytes();
      if (const Status copied = copy_within_target(at, at + header_.shift_bytes(), count); copied != Status::ok)
        return copied;
    }
    if (!storage_.sync(storage_.context, Place::target)) return Status::io_target;
    journal.begin();
    if (!journal.commit(RecordKind::move, blocks_left, 0, 0)) return Status::io_journal;
  }
  return Status::ok;
}

Status Applier::decode(Journal& journal, const Record& from, uint64_t target_bytes_max, uint64_t step_bytes) {
  journal_ = &journal;
  journal_failed_ = false;
  block_at_ = from.kind == RecordKind::block || from.kind == RecordKind::last ? from.place : 0;
  if (in_place_ && from.kind != RecordKind::move) {
    // Again what was under way, or is there already.
    if (from.content_bytes > header_.block_bytes() || from.place > header_.target_bytes ||
        from.content_bytes > header_.target_bytes - from.place)
      return Status::bad_state;
    if (const Status written = write_block(journal, from.place, from.content_bytes); written != Status::ok) return written;
    if (from.kind == RecordKind::last) return complete();
    block_at_ += from.content_bytes;
  }
  written_ = block_at_;
  const size_t decoder_bytes = Decoder::workspace_bytes(header_.profile);
  Status status = Status::ok;
  if (from.kind == RecordKind::block) {
    if (from.state_bytes != Decoder::state_bytes(header_.profile)) return Status::bad_state;
    state_at_ = from.content_bytes;
    block_used_ = 0;
    status = decoder_.restore(callbacks(), workspace_, decoder_bytes, target_bytes_max, this,
                              [](void* self, uint8_t* bytes, size_t count) {
                                auto& me = *static_cast<Applier*>(self);
                                me.state_at_ += count;
                                return me.journal_->read(me.state_at_ - count, bytes, count);
                              });
    if (status == Status::ok && decoder_.written_out() != block_at_) status = Status::bad_state;
  } else {
    if (!in_place_ && !storage_.resize(storage_.context, Place::target, 0)) return Status::io_target;
    status = decoder_.init(callbacks(), workspace_, decoder_bytes, target_bytes_max);
  }
  while (status == Status::ok || status == Status::paused) {
    if (storage_.on_progress != nullptr) storage_.on_progress(storage_.context, block_at_, header_.target_bytes);
    const uint64_t left = header_.target_bytes - block_at_;
    status = decoder_.pause_at(left > step_bytes ? block_at_ + step_bytes : kNoPause);
    if (status != Status::ok) break;
    block_used_ = 0;
    if (in_place_) journal.begin();
    status = decode_to_pause();
    if (status != Status::paused && status != Status::done) break;
    const Status ended = end_block(journal, status == Status::done ? RecordKind::last : RecordKind::block);
    if (ended != Status::ok) return ended;
    if (status == Status::done) return complete();
  }
  return journal_failed_ ? Status::io_journal : status;
}

Status Applier::decode_to_pause() {
  while (decoder_.status() == Status::ok && decoder_.consumed() < storage_.patch_bytes) {
    const uint64_t at = decoder_.consumed();
    const uint64_t left = storage_.patch_bytes - at;
    const size_t count = left < scratch_bytes_ ? static_cast<size_t>(left) : scratch_bytes_;
    if (!storage_.read_patch(storage_.context, at, scratch_, count)) return Status::io_base;
    (void)decoder_.feed(scratch_, count);
  }
  return decoder_.status() == Status::ok ? decoder_.finish() : decoder_.status();
}

// What was decoded since the last pause becomes durable, then, in place, becomes the target.
Status Applier::end_block(Journal& journal, RecordKind kind) {
  uint64_t state_bytes = 0;
  if (!in_place_) {
    block_at_ = written_;
    if (kind == RecordKind::last) return Status::ok;
    if (!storage_.sync(storage_.context, Place::target)) return Status::io_target;
    journal.begin();
  }
  if (kind == RecordKind::block) {
    state_bytes = Decoder::state_bytes(header_.profile);
    const Status saved = decoder_.save(&journal, [](void* to, const uint8_t* bytes, size_t count) {
      return static_cast<Journal*>(to)->append(bytes, count);
    });
    if (saved != Status::ok) return Status::io_journal;
  }
  if (!journal.commit(kind, block_at_, block_used_, state_bytes)) return Status::io_journal;
  if (!in_place_) return Status::ok;
  if (const Status written = write_block(journal, block_at_, block_used_); written != Status::ok) return written;
  block_at_ += block_used_;
  return Status::ok;
}

Status Applier::write_block(Journal& journal, uint64_t place, uint64_t count) {
  for (uint64_t at = 0; at < count;) {
    const size_t piece = count - at < scratch_bytes_ ? static_cast<size_t>(count - at) : scratch_bytes_;
    if (!journal.read(at, scratch_, piece)) return Status::io_journal;
    if (!storage_.write(storage_.context, Place::target, place + at, scratch_, piece)) return Status::io_target;
    at += piece;
  }
  return storage_.sync(storage_.context, Place::target) ? Status::ok : Status::io_target;
}

Status Applier::complete() {
  if (storage_.bytes(storage_.context, Place::target) != header_.target_bytes &&
      !storage_.resize(storage_.context, Place::target, header_.target_bytes))
    return Status::io_target;
  if (!storage_.sync(storage_.context, Place::target)) return Status::io_target;
  uint8_t digest[kHashBytes];
  if (!hash_target(header_.target_bytes, digest)) return Status::io_target;
  if (memcmp(digest, header_.target_sha256, kHashBytes) != 0) return Status::wrong_target;
  if (storage_.on_progress != nullptr)
    storage_.on_progress(storage_.context, header_.target_bytes, header_.target_bytes);
  return storage_.conclude(storage_.context) ? Status::done : Status::io_journal;
}

Status Applier::copy_within_target(uint64_t from, uint64_t to, uint64_t count) {
  for (uint64_t at = 0; at < count;) {
    const size_t piece = count - at < scratch_bytes_ ? static_cast<size_t>(count - at) : scratch_bytes_;
    if (!storage_.read(storage_.context, Place::target, from + at, scratch_, piece)) return Status::io_base;
    if (!storage_.write(storage_.context, Place::target, to + at, scratch_, piece)) return Status::io_target;
    at += piece;
  }
  return Status::ok;
}

bool Applier::hash_target(uint64_t bytes, uint8_t* digest) {
  storage_.hash_begin(storage_.context);
  bool good = true;
  for (uint64_t at = 0; at < bytes && good;) {
    const size_t count = bytes - at < scratch_bytes_ ? static_cast<size_t>(bytes - at) : scratch_bytes_;
    good = storage_.read(storage_.context, Place::target, at, scratch_, count);
    storage_.hash_add(storage_.context, scratch_, good ? count : 0);
    at += count;
  }
  storage_.hash_end(storage_.context, digest);
  return good;
}

bool Applier::read_base(uint64_t offset, uint8_t* bytes, size_t count) {
  if (!in_place_) return storage_.read(storage_.context, Place::base, offset, bytes, count);
  return storage_.read(storage_.context, Place::target, offset + header_.shift_bytes(), bytes, count);
}

bool Applier::write_target(const uint8_t* bytes, size_t count) {
  if (in_place_) {
    if (!journal_->append(bytes, count)) {
      journal_failed_ = true;
      return false;
    }
    block_used_ += count;
    return true;
  }
  if (!storage_.write(storage_.context, Place::target, written_, bytes, count)) return false;
  written_ += count;
  return true;
}

bool Applier::read_target(uint64_t offset, uint8_t* bytes, size_t count) {
  size_t before = count;  // of the block that is still in the journal
  if (in_place_ && offset + count > block_at_) before = offset < block_at_ ? static_cast<size_t>(block_at_ - offset) : 0;
  if (before > 0 && !storage_.read(storage_.context, Place::target, offset, bytes, before)) return false;
  if (before == count) return true;
  return journal_->read(offset + before - block_at_, bytes + before, count - before);
}

Callbacks Applier::callbacks() {
  Callbacks calls{};
  calls.context = this;
  calls.read_base = [](void* self, uint64_t offset, uint8_t* bytes, size_t count) {
    return static_cast<Applier*>(self)->read_base(offset, bytes, count);
  };
  calls.write_target = [](void* self, const uint8_t* bytes, size_t count) {
    return static_cast<Applier*>(self)->write_target(bytes, count);
  };
  calls.read_target = [](void* self, uint64_t offset, uint8_t* bytes, size_t count) {
    return static_cast<Applier*>(self)->read_target(offset, bytes, count);
  };
  calls.base_bytes = [](void* self) -> uint64_t {
    const auto& me = *static_cast<Applier*>(self);
    return me.in_place_ ? me.header_.base_bytes : me.storage_.bytes(me.storage_.context, Place::base);
  };
  calls.hash_begin = [](void* self) {
    const Storage& storage = static_cast<Applier*>(self)->storage_;
    storage.hash_begin(storage.context);
  };
  calls.hash_add = [](void* self, const uint8_t* bytes, size_t count) {
    const Storage& storage = static_cast<Applier*>(self)->storage_;
    storage.hash_add(storage.context, bytes, count);
  };
  calls.hash_end = [](void* self, uint8_t* digest) {
    const Storage& storage = static_cast<Applier*>(self)->storage_;
    storage.hash_end(storage.context, digest);
  };
  return calls;
}

}  // namespace hone::delta
