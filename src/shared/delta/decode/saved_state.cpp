// Saving a decoder and going on from what was saved. A state is a head of fixed size, the counters as
// they lie in the workspace, and a checksum of both.
#include "shared/delta/decode/decoder.hpp"
#include "shared/delta/decode/memory.hpp"
#include "shared/delta/format/elements.hpp"
#include "shared/delta/format/checksum.hpp"
#include "shared/delta/format/low_rank.hpp"

namespace hone::delta {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "counters are saved as they lie in memory");

constexpr uint8_t kStateMagic[4] = {'H', 'N', 'D', 'S'};
constexpr uint8_t kStateVersion = 1;
constexpr size_t kFields = 80;  // at least as many as list_state() lists
constexpr size_t kStateHeadBytes = 8 + kInPlaceHeaderBytes + kFields * 8 + 2 * kStepBytesMax + kOutSlackBytes;
constexpr size_t kChecksumBytes = 8;

// Both archives get the same list, so that what is saved is what is restored.
struct FieldWriter {
  uint8_t* next;
  template <class T>
  void operator()(T& field, uint64_t) {
    store_element<8>(next, static_cast<uint64_t>(field));
    next += 8;
  }
  void between(int32_t& field, int32_t, int32_t) {
    store_element<8>(next, static_cast<uint64_t>(static_cast<int64_t>(field)));
    next += 8;
  }
};
struct FieldReader {
  const uint8_t* next;
  bool bad = false;
  template <class T>
  void operator()(T& field, uint64_t max) {
    const uint64_t value = load_element<8>(next);
    next += 8;
    if (value > max) bad = true;
    field = static_cast<T>(value > max ? 0 : value);
  }
  void between(int32_t& field, int32_t low, int32_t high) {
    const auto value = static_cast<int64_t>(load_element<8>(next));
    next += 8;
    if (value < low || value > high) bad = true;
    field = static_cast<int32_t>(value < low || value > high ? 0 : value);
  }
};

// Brings the slots of all weights that there may be to 0 and above: see weight_of().
constexpr uint32_t kWeightOffset = kWeightMax + static_cast<uint32_t>(kFirstWeight) - kEvenCounter.state;
constexpr uint64_t kAny = ~uint64_t{0};

}  // namespace

size_t Decoder::state_bytes(Profile profile) {
  return kStateHeadBytes + counters_of(profile) * sizeof(Counter) + kChecksumBytes;
}

// A field that a step may use as an index or a length is bounded here; others may hold anything, since
// the steps check them as they check what a hostile patch makes of them.
template <class Archive>
void Decoder::list_state(Archive& archive) {
  archive(stage_, static_cast<uint64_t>(Stage::end));
  archive(accepted_, kAny);
  archive(read_, kAny);
  archive(carried_, sizeof carry_);
  archive(flushed_, header_.target_bytes);
  archive(out_used_, kOutSlackBytes - 1);
  archive(coder_.range, 0xFFFFFFFFu);
  archive(coder_.code, 0xFFFFFFFFu);
  archive(operation_.op, static_cast<uint64_t>(Op::count) - 1);
  archive(operation_.type, static_cast<uint64_t>(Type::count));
  archive(operation_.bytes, header_.target_bytes);
  archive(operation_.base_offset, header_.base_bytes);
  archive(operation_.top_exponent, (1u << 11) - 1);
  archive(operation_.by_mantissa, 1);
  archive(operation_.zero_bits, zero_bits_max(info_of(Type::f64)));
  archive(operation_.by_runs, 1);
  archive.between(operation_.scale, kScaleMin, kScaleMax);
  archive(operation_.low_rank.rank, kRankMax);
  archive(operation_.low_rank.shift, 31);
  archive(operation_.low_rank.columns, (1u << 24) - 1);
  archive(operation_.low_rank.wide, 1);
  archive(operation_.low_rank.corrected, 1);
  archive(factors_known_, 0xFFFFFFFFu);
  archive(left_, header_.target_bytes);
  archive(match_left_, header_.target_bytes);
  archive(match_at_, header_.base_bytes + header_.target_bytes);
  archive(heads_.last, static_cast<uint64_t>(Op::count) - 1);
  archive(heads_.base_next, header_.base_bytes);
  archive(values_type_, static_cast<uint64_t>(Type::count));
  archive(values_.activity, 65536);
  archive(values_.last, 0xFFFFFFFFu);
  archive.between(values_.deviation, -65536, 65536);
  archive(values_.run_mean, 65535 << 4);
  archive(values_.run, kAny);
  archive(values_.last_sign, 2);
  archive.between(values_.scale, -65536, 65536);
  for (uint16_t& mean : values_.mean) archive(mean, 0xFFFF);
  for (uint64_t& distance : generic_.rep) archive(distance, kAny);
  archive(generic_.state, kMatchStates - 1);
  archive(generic_.before, 0xFFFFFFFFu);
}

Status Decoder::save(void* to, bool (*write)(void* to, const uint8_t* bytes, size_t count)) {
  if ((status_ != Status::ok && status_ != Status::paused) || stage_ == Stage::header) return Status::misuse;
  if (status_ == Status::ok && !flush() && status_ != Status::paused) return status_;
  uint8_t head[kStateHeadBytes] = {};
  memcpy(head, kStateMagic, sizeof kStateMagic);
  head[4] = kStateVersion;
  uint8_t* at = head + 8;
  write_header(header_, at);
  FieldWriter fields{at + kInPlaceHeaderBytes};
  list_state(fields);
  at += kInPlaceHeaderBytes + kFields * 8;
  memcpy(at, carry_, carried_);
  memcpy(at + sizeof carry_, out_, out_used_);

  const auto* counters = reinterpret_cast<const uint8_t*>(counters_);
  const size_t counter_bytes = counters_of(header_.profile) * sizeof(Counter);
  Checksum sum;
  sum.add(head, sizeof head);
  sum.add(counters, counter_bytes);
  uint8_t end[kChecksumBytes];
  store_element<8>(end, sum.value());
  return write(to, head, sizeof head) && write(to, counters, counter_bytes) && write(to, end, sizeof end) ? Status::ok
                                                                                                        : Status::io_target;
}

Status Decoder::restore(const Callbacks& callbacks, void* workspace, size_t workspace_size, uint64_t target_bytes_max,
                        void* from, bool (*read)(void* from, uint8_t* bytes, size_t count)) {
  if (const Status ready = init(callbacks, workspace, workspace_size, target_bytes_max); ready != Status::ok) return ready;
  uint8_t head[kStateHeadBytes];
  if (!read(from, head, sizeof head)) return status_ = Status::bad_state;
  const uint8_t* at = head + 8;
  if (memcmp(head, kStateMagic, sizeof kStateMagic) != 0 || head[4] != kStateVersion ||
      read_header(at, kInPlaceHeaderBytes, header_) != Status::ok)
    return status_ = Status::bad_state;
  if (const Status room = take_memory(); room != Status::ok) return status_ = room;
  auto* counters = reinterpret_cast<uint8_t*>(counters_);
  const size_t counter_bytes = counters_of(header_.profile) * sizeof(Counter);
  uint8_t end[kChecksumBytes];
  if (!read(from, counters, counter_bytes) || !read(from, end, sizeof end)) return status_ = Status::bad_state;
  Checksum sum;
  sum.add(head, sizeof head);
  sum.add(counters, counter_bytes);
  if (sum.value() != load_element<8>(end)) return status_ = Status::bad_state;

  FieldReader fields{at + kInPlaceHeaderBytes};
  list_state(fields);
  const uint64_t target_left = header_.target_bytes - flushed_;
  if (fields.bad || out_used_ > target_left || !operation_is_sound(target_left - out_used_) || !counters_are_sound())
    return status_ = Status::bad_state;
  at += kInPlaceHeaderBytes + kFields * 8;
  memcpy(carry_, at, carried_);
  memcpy(out_, at + sizeof carry_, out_used_);
  return status_ = hash_written();
}

// What the steps take for granted of the operation that is under way.
bool Decoder::operation_is_sound(uint64_t target_left) const {
  if (stage_ == Stage::header || coder_.range < (1u << 24)) return false;
  if (stage_ == Stage::prime) return written() == 0;
  if (stage_ == Stage::end) return target_left == 0;
  if (stage_ == Stage::head) return target_left > 0;
  if (stage_ != stage_of(operation_.op)) return false;
  if (left_ > target_left || match_left_ > target_left - left_) return false;
  if (left_ > operation_.bytes || match_left_ > operation_.bytes - left_) return false;
  if (match_left_ > 0 && (operation_.op != Op::generic || match_at_ >= header_.base_bytes + written())) return false;
  if (has_base(operation_.op) && operation_.bytes > header_.base_bytes - operation_.base_offset) return false;
  if (has_values(operation_.op)) {
    if (operation_.type == Type::count || (is_on_lattice(operation_.op) && operation_.type != Type::f32)) return false;
    const uint32_t width = info_of(operation_.type).width;
    if (((operation_.bytes | left_) & (width - 1)) != 0) return false;
  }
  if (operation_.op == Op::low_rank) {
    const LowRank& shape = operation_.low_rank;
    if (!is_sound(shape, header_.profile, operation_.bytes / 4)) return false;
    if (factors_known_ > shape.rank * (shape.columns + 1)) return false;
  }
  return true;
}

// A counter's count is an index, and a weight may not overflow. Factors may be anything.
bool Decoder::counters_are_sound() const {
  const bool is_small = kSmallOnly || header_.profile == Profile::small;
  const Layout& l = is_small ? kLayout<Profile::small> : kLayout<Profile::standard>;
  const uint32_t factors = stage_ == Stage::low_rank ? (is_small ? kFactorsAt<Profile::small> : kFactorsAt<Profile::standard>) : l.total;
  const size_t factors_end = factors + dimensions(header_.profile).factor_bytes / sizeof(Counter);
  for (uint32_t i = 0; i < l.weights; ++i)
    if ((counters_[i].state & 1023u) > kValueLimit && (i < factors || i >= factors_end)) return false;
  for (uint32_t i = l.weights; i < l.total; ++i)
    if (counters_[i].state + kWeightOffset > 2u * kWeightMax) return false;
  return true;
}

// The target's hash goes on from what stands in the target.
Status Decoder::hash_written() {
  callbacks_.hash_begin(callbacks_.context);
  for (uint64_t at = 0; at < flushed_;) {
    const uint64_t left = flushed_ - at;
    const size_t count = left < base_size_ ? static_cast<size_t>(left) : base_size_;
    if (!callbacks_.read_target(callbacks_.context, at, base_, count)) return Status::io_target;
    callbacks_.hash_add(callbacks_.context, base_, count);
    at += count;
  }
  return Status::ok;
}

}  // namespace hone::delta
