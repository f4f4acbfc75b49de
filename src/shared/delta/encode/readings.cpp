#include "shared/delta/encode/readings.hpp"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "shared/delta/encode/value_coder.hpp"

namespace hone::delta {
namespace {

constexpr std::uint64_t kChunkBytes = 16 * 1024;  // of which a model's statistics are taken
constexpr std::uint64_t kBlockBytes = 128;        // for which a model is chosen
constexpr std::uint64_t kProbeBytes = 1024;       // of a chunk that every model is tried on
constexpr std::size_t kShiftsMax = 4;
constexpr std::size_t kVotesMax = 64;
constexpr double kSwitchBits = 120;               // an operation's head, and what its models must learn
constexpr std::uint64_t kGramBytes = 12;          // that agree and so suggest a shift
constexpr std::uint64_t kGramStep = 8;

// One way to read a chunk. Elements begin at target places that are `phase` modulo their width.
struct Model {
  Type type;
  std::uint32_t phase;
  std::uint32_t zero_bits;             // low bits that are zero in most elements
  std::optional<std::uint64_t> shift;  // base place = target place + shift; absent: without a base
  friend bool operator==(const Model&, const Model&) = default;
};

constexpr std::uint32_t kContexts = 32;
constexpr std::uint32_t kSymbols = 256;
constexpr std::uint32_t kEscapeBits = 16;  // what an element costs that a model does not fit
constexpr float kLearningBits = 4;  // what a cell costs until its probability is known

// What is modelled of an element, what it is modelled by, and how many bits below it are raw.
struct Symbol {
  std::uint32_t context;
  std::uint32_t value;
  std::uint32_t raw_bits;
};
template <class E>
Symbol symbol_of(const std::uint8_t* target, const std::uint8_t* base, std::uint32_t zero_bits) {
  const Symbol escape{0, kSymbols - 1, E::bits + kEscapeBits};
  const std::uint64_t low = (std::uint64_t{1} << zero_bits) - 1;
  const std::uint64_t x = load_element<E::width>(target);
  if ((x & low) != 0) return escape;
  if (base == nullptr) return {0, E{}.exponent(x) % kSymbols, E::mantissa_bits + 1 - zero_bits};
  const std::uint64_t b = load_element<E::width>(base);
  if ((b & low) != 0) return escape;
  const std::uint64_t off = (E{}.to_ordered(x) - E{}.to_ordered(b)) & E::mask;
  std::uint32_t context = 0;
  if constexpr (E::exponent_bits != 0) context = E{}.exponent(b) % kContexts;
  else context = E{}.magnitude_class(b, 0, kContexts);
  if constexpr (E::bits == 8) return {context, static_cast<std::uint32_t>(off), 0};
  const std::uint32_t length = bit_length((off & E::sign) != 0 ? (~off + 1) & E::mask : off);
  return {context, length, length > zero_bits ? length - zero_bits : 0};  // the leading one is known, the sign is not
}

// log2 of whole numbers up to the elements of a chunk.
float log2_of(std::uint32_t n) {
  static const auto table = [] {
    std::vector<float> logs(kChunkBytes + 1, 0);
    for (std::size_t i = 1; i < logs.size(); ++i) logs[i] = std::log2(static_cast<float>(i));
    return logs;
  }();
  return table[n];
}

// How often each symbol comes in each context, and so what it costs.
class Statistics {
 public:
  void add(Symbol symbol) {
    kinds_ += cells_[symbol.context * kSymbols + symbol.value]++ == 0;
    ++sums_[symbol.context];
    ++all_;
  }
  // Of a symbol that was added.
  [[nodiscard]] float bits(Symbol symbol) const {
    return log2_of(sums_[symbol.context]) - log2_of(cells_[symbol.context * kSymbols + symbol.value]) +
           static_cast<float>(symbol.raw_bits) + kLearningBits * static_cast<float>(kinds_) / static_cast<float>(all_);
  }

 private:
  std::array<std::uint32_t, kContexts * kSymbols> cells_{};
  std::array<std::uint32_t, kContexts> sums_{};
  std::uint32_t kinds_ = 0;
  std::uint32_t all_ = 0;
};

class Chunk {
 public:
  Chunk(ByteView base, ByteView target, std::uint64_t from, std::uint64_t to) : base_(base), target_(target), from_(from), to_(to) {}

  // Bits of each block under a model.
  void weigh(const Model& model, std::vector<float>& blocks) const {
    blocks.assign((to_ - from_ + kBlockBytes - 1) / kBlockBytes, 0);
    with_type(model.type, [&](auto constant) {
      using E = Element<decltype(constant)::value>;
      visit<E>(model, from_, to_, [&](std::uint64_t at, float bits) { blocks[(at - from_) / kBlockBytes] += bits; });
    });
  }
  // The low bits that are zero in all but a few elements.
  [[nodiscard]] std::uint32_t zero_bits(Type type, std::uint32_t phase) const {
    return with_type(type, [&](auto constant) {
      using E = Element<decltype(constant)::value>;
      std::array<std::uint32_t, 65> counts{};
      std::uint32_t elements = 0;
      for (std::uint64_t at = from_ + (phase + E::width - from_ % E::width) % E::width; at + E::width <= to_; at += E::width, ++elements)
        ++counts[static_cast<std::uint32_t>(std::countr_zero(load_element<E::width>(&target_[at])))];
      std::uint32_t bits = 64;
      for (std::uint32_t enough = counts[64]; bits > 0 && enough * 8 < elements * 7; enough += counts[bits]) --bits;
      return std::min(bits, zero_bits_max(E::info));
    });
  }
  // Bits of a sample of the chunk.
  [[nodiscard]] float probe(const Model& model) const {
    const std::uint64_t start = from_ + (to_ - from_) / 2 - std::min(kProbeBytes, to_ - from_) / 2;
    float sum = 0;
    with_type(model.type, [&](auto constant) {
      using E = Element<decltype(constant)::value>;
      visit<E>(model, start, std::min(to_, start + kProbeBytes), [&](std::uint64_t, float bits) { sum += bits; });
    });
    return sum;
  }

 private:
  // f(place, bits) of each element in [from, to). Those that have no counterpart cost what they are.
  template <class E, class F>
  void visit(const Model& model, std::uint64_t from, std::uint64_t to, F&& f) const {
    const auto each = [&](auto&& g) {
      for (std::uint64_t at = from + (model.phase + E::width - from % E::width) % E::width; at + E::width <= to; at += E::width) {
        const std::uint64_t place = at + model.shift.value_or(0);
        if (!model.shift) g(at, symbol_of<E>(&target_[at], nullptr, model.zero_bits));
        else if (place < base_.size() && base_.size() - place >= E::width) g(at, symbol_of<E>(&target_[at], &base_[place], model.zero_bits));
        else g(at, Symbol{0, kSymbols - 1, E::bits + kEscapeBits});
      }
    };
    const auto statistics = std::make_unique<Statistics>();
    each([&](std::uint64_t, Symbol symbol) { statistics->add(symbol); });
      each([&](std::uint64_t at, Symbol symbol) { f(at, statistics->bits(symbol)); });
  }

  ByteView base_, target_;
  std::uint64_t from_, to_;
};

// Bits of each block as matches and literals: bytes that agree under some shift are nearly free,
// the others have the entropy of their kind; all of it scaled to what zstd makes of the chunk.
std::vector<float> weigh_generic(ByteView base, ByteView target, std::uint64_t from, std::uint64_t to,
                                 const std::vector<std::uint64_t>& shifts) {
  constexpr std::uint64_t kMatchMin = 4;
  constexpr float kMatchBits = 18;
  std::vector<bool> matched(to - from, false);
  std::vector<float> blocks((to - from + kBlockBytes - 1) / kBlockBytes, 0);
  for (const std::uint64_t shift : shifts) {
    std::uint64_t run = 0;
    for (std::uint64_t at = from; at <= to; ++at) {
      const std::uint64_t place = at + shift;
      if (at < to && place < base.size() && base[place] == target[at] && !matched[at - from]) {
        ++run;
        continue;
      }
      if (run >= kMatchMin) {
        if (at - run != from) blocks[(at - run - from) / kBlockBytes] += kMatchBits;  // else it goes on
        std::fill_n(matched.begin() + static_cast<std::ptrdiff_t>(at - run - from), run, true);
      }
      run = 0;
    }
  }
  const auto statistics = std::make_unique<Statistics>();
  for (std::uint64_t at = from; at < to; ++at)
    if (!matched[at - from]) statistics->add({0, target[at], 0});
  for (std::uint64_t at = from; at < to; ++at)
    if (!matched[at - from]) blocks[(at - from) / kBlockBytes] += statistics->bits({0, target[at], 0});
  double sum = 1;
  for (const float block : blocks) sum += block;
  const std::uint64_t near = std::min<std::uint64_t>(from + (shifts.empty() ? 0 : shifts.front()), base.size());
  const std::uint64_t begin = near - std::min(near, kChunkBytes / 2);
  const std::uint64_t end = std::min<std::uint64_t>(base.size(), near + (to - from) + kChunkBytes / 2);
  const double whole = generic_bits(base.subspan(begin, end - begin), target.subspan(from, to - from), kQuickLevel);
  if (whole < sum)
    for (float& block : blocks) block *= static_cast<float>(whole / sum);
  return blocks;
}

// The models worth weighing on a chunk: by width, place and phase as a probe of plain integers finds
// them, then every type of that width; models without a base; and those used just before.
std::vector<Model> shortlist(const Chunk& chunk, const std::vector<std::uint64_t>& shifts, const std::vector<Model>& recent) {
  struct Width {
    Type probed_as;
    std::vector<Type> types;
  };
  static const Width kWidths[] = {{Type::i8, {Type::i8, Type::u8}},
                                  {Type::i16, {Type::i16, Type::f16, Type::bf16}},
                                  {Type::i32, {Type::i32, Type::f32}},
                                  {Type::f64, {Type::f64}}};
  std::vector<Model> models = recent;
  const auto add = [&](const Model& model) {
    if (std::find(models.begin(), models.end(), model) == models.end()) models.push_back(model);
  };
  const auto best_of = [&](const std::vector<Model>& tried) {
    std::vector<float> bits;
    for (const Model& model : tried) bits.push_back(chunk.probe(model));
    return tried[static_cast<std::size_t>(std::min_element(bits.begin(), bits.end()) - bits.begin())];
  };
  for (const Width& width : kWidths) {
    std::vector<Model> tried;
    for (std::uint32_t phase = 0; phase < info_of(width.probed_as).width; ++phase)
      for (const std::uint64_t shift : shifts) tried.push_back({width.probed_as, phase, 0, shift});
    if (!tried.empty()) {
      const Model best = best_of(tried);
      for (const Type type : width.types) add({type, best.phase, chunk.zero_bits(type, best.phase), best.shift});
    }
    for (const Type type : width.types) {
      if (info_of(type).exponent_bits == 0) continue;
      tried.clear();
      for (std::uint32_t phase = 0; phase < info_of(type).width; ++phase) tried.push_back({type, phase, chunk.zero_bits(type, phase), {}});
      add(best_of(tried));
    }
  }
  return models;
}

// For each block the index of a model, or models.size() for generic: the cheapest path, where every
// change of the model costs kSwitchBits.
std::vector<std::size_t> cheapest_path(const std::vector<std::vector<float>>& costs) {
  const std::size_t states = costs.size();
  const std::size_t blocks = costs.front().size();
  std::vector<double> so_far(states, 0);
  std::vector<std::vector<std::uint8_t>> came_from(blocks, std::vector<std::uint8_t>(states));
  for (std::size_t b = 0; b < blocks; ++b) {
    const auto best = static_cast<std::size_t>(std::min_element(so_far.begin(), so_far.end()) - so_far.begin());
    const double from_best = so_far[best] + kSwitchBits;
    for (std::size_t s = 0; s < states; ++s) {
      const bool stays = so_far[s] <= from_best;
      came_from[b][s] = static_cast<std::uint8_t>(stays ? s : best);
      so_far[s] = (stays ? so_far[s] : from_best) + static_cast<double>(costs[s][b]);
    }
  }
  std::vector<std::size_t> path(blocks);
  auto state = static_cast<std::size_t>(std::min_element(so_far.begin(), so_far.end()) - so_far.begin());
  for (std::size_t b = blocks; b-- > 0;) {
    path[b] = state;
    state = came_from[b][state];
  }
  return path;
}

// The whole elements of [from, to) under a model that have a counterpart in the base and differ
// from it: none, with zero bytes, where there is nothing to code.
Reading reading_of(const Model& model, std::uint64_t from, std::uint64_t to, ByteView base, ByteView target) {
  const std::uint64_t width = info_of(model.type).width;
  const auto in_base = [&](std::uint64_t at) { return !model.shift || at + *model.shift < base.size(); };
  while (from < to && !(from % width == model.phase && in_base(from))) ++from;
  while (to > from && !((to - from) % width == 0 && in_base(to - 1))) --to;
  if (from == to) return {};
  Reading reading{from, to - from, model.type, model.shift.has_value(), 0};
  if (model.shift) {
    reading.base_offset = from + *model.shift;
    if (std::equal(&target[from], &target[from] + reading.bytes, &base[reading.base_offset])) return {};
  }
  return reading;
}

std::uint64_t hash_gram(ByteView bytes, std::uint64_t at) {
  return (load_element<8>(&bytes[at]) * 0x9E3779B97F4A7C15u + load_element<4>(&bytes[at + 8])) * 0xC2B2AE3D27D4EB4Fu >> 20;
}

}  // namespace

double generic_bits(ByteView before, ByteView part, int zstd_level) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  Bytes out(ZSTD_compressBound(part.size()));
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, zstd_level);
  ZSTD_CCtx_refPrefix(context.get(), before.data(), before.size());
  const std::size_t size = ZSTD_compress2(context.get(), out.data(), out.size(), part.data(), part.size());
  if (ZSTD_isError(size) != 0 || part.empty()) return static_cast<double>(part.size()) * 8;
  // A quick level finds fewer matches than we do; a close one as many, which we code tighter the more
  // of the bytes they are.
  const double left = static_cast<double>(size) / static_cast<double>(part.size());
  const double ours = zstd_level < kCloseLevel ? 0.92 : std::min(1.0, 0.85 + 0.3 * left);
  return static_cast<double>(size) * 8 * ours;
}

NumberReader::NumberReader(ByteView base) : base_(base) {
  std::size_t slots = 1024;
  while (slots < base.size() / kGramStep * 2) slots *= 2;
  places_.assign(slots, 0);
  for (std::uint64_t at = 0; at + kGramBytes <= base.size(); at += kGramStep)
    places_[hash_gram(base, at) & (slots - 1)] = static_cast<std::uint32_t>(at + 1);
}

// Those that most of the bytes vote for first.
std::vector<std::uint64_t> NumberReader::shifts_by_agreement(ByteView target, std::uint64_t from, std::uint64_t to) const {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> votes;
  for (std::uint64_t at = from; at + kGramBytes <= to; ++at) {
    const std::uint32_t slot = places_[hash_gram(target, at) & (places_.size() - 1)];
    if (slot == 0 || !std::equal(&target[at], &target[at] + kGramBytes, &base_[slot - 1])) continue;
    const std::uint64_t shift = slot - 1 - at;
    const auto same = std::find_if(votes.begin(), votes.end(), [&](const auto& vote) { return vote.first == shift; });
    if (same != votes.end()) ++same->second;
    else if (votes.size() < kVotesMax) votes.emplace_back(shift, 1);
    at += kGramBytes - 1;
  }
  std::stable_sort(votes.begin(), votes.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::uint64_t> shifts;
  for (std::size_t i = 0; i < votes.size() && i < kShiftsMax; ++i) shifts.push_back(votes[i].first);
  return shifts;
}

std::vector<Reading> NumberReader::read(ByteView target, std::uint64_t from, std::uint64_t to,
                                        const std::vector<Suggestion>& suggestions) const {
  std::vector<Reading> readings;
  if (to - from < 2 * kBlockBytes) return readings;
  std::vector<Model> recent;
  std::optional<Model> open;  // the model of the stretch that goes on
  std::uint64_t open_from = 0;
  std::uint64_t last_shift = 0;
  const auto close = [&](std::uint64_t end) {
    if (!open) return;
    const Reading reading = reading_of(*open, open_from, end, base_, target);
    if (reading.bytes >= kBlockBytes) readings.push_back(reading);
    open.reset();
  };
  for (std::uint64_t start = from; start < to; start += kChunkBytes) {
    const std::uint64_t end = std::min(to, start + kChunkBytes);
    std::vector<std::uint64_t> shifts;
    if (!base_.empty()) {
      shifts = shifts_by_agreement(target, start, end);
      const auto add = [&](std::uint64_t shift) {
        if (std::find(shifts.begin(), shifts.end(), shift) == shifts.end()) shifts.push_back(shift);
      };
      for (const Suggestion& s : suggestions)
        if (s.offset < end && start < s.offset + s.bytes) add(s.shift);
      for (const std::uint64_t shift : {last_shift, std::uint64_t{0}, base_.size() - target.size()}) add(shift);
    }
    const Chunk chunk(base_, target, start, end);
    const std::vector<Model> models = shortlist(chunk, shifts, recent);
    std::vector<std::vector<float>> costs(models.size() + 1);
    for (std::size_t i = 0; i < models.size(); ++i) chunk.weigh(models[i], costs[i]);
    costs.back() = weigh_generic(base_, target, start, end, shifts);
    const auto path = cheapest_path(costs);
    recent.clear();
    for (std::size_t b = 0; b < path.size(); ++b) {
      const std::uint64_t at = start + b * kBlockBytes;
      const bool generic = path[b] == models.size();
      if (open && (generic || *open != models[path[b]])) close(at);
      if (generic) continue;
      const Model& model = models[path[b]];
      if (!open) open = model, open_from = at;
      if (model.shift) last_shift = *model.shift;
      if (std::find(recent.begin(), recent.end(), model) == recent.end()) recent.push_back(model);
    }
  }
  close(to);
  return readings;
}

}  // namespace hone::delta
