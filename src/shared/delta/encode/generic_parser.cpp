#include "shared/delta/encode/generic_parser.hpp"

#include <algorithm>
#include <array>

#include "shared/delta/encode/range_encoder.hpp"

namespace hone::delta {
namespace {

constexpr std::uint32_t kBlockMax = 4096;
constexpr std::uint32_t kBlockFirst = 256;
constexpr std::uint32_t kNever = 0xFFFFFFFFu;

std::uint32_t price_tree(const Counter* nodes, std::uint32_t depth, std::uint32_t value, const CostTable& table) {
  std::uint32_t price = 0;
  std::uint32_t node = 1;
  for (std::uint32_t i = depth; i-- > 0;) {
    const std::uint32_t bit = value >> i & 1u;
    price += cost_of(nodes[node], bit, table);
    node = node << 1 | bit;
  }
  return price;
}

// Mirrors code_number.
std::uint32_t price_number(const Counter* nodes, std::uint64_t value, const CostTable& table) {
  const std::uint64_t given = value + 1;
  const std::uint32_t length = bit_length(given) - 1;
  const Counter* top = nodes + kNumberTop[length < 7 ? length : 7];
  const std::uint32_t modelled = length < 3 ? length : 3;
  return price_tree(nodes, 6, length, table) +
         price_tree(top, modelled, static_cast<std::uint32_t>(given >> (length - modelled)) & ((1u << modelled) - 1u), table) +
         (length - modelled) * 256;
}

struct Node {
  std::uint32_t cost = kNever;
  std::uint32_t from = 0;  // the node before
  Match by{};
  GenericMemory memory{};
};

template <Profile kProfile>
class Parser {
 public:
  Parser(EncoderState& state, MatchFinder& finder, ByteView base, ByteView target, const ParserLimits& limits)
      : state_(state), finder_(finder), base_(base), target_(target), limits_(limits), nodes_(kBlockMax + 1) {}

  // The symbols for up to a block of bytes from `at`; at least one.
  const std::vector<Match>& plan(std::uint64_t at, std::uint64_t count, std::uint32_t block) {
    chosen_.clear();
    take_prices();
    const auto size = static_cast<std::uint32_t>(std::min<std::uint64_t>(count, block));
    for (std::uint32_t i = 0; i <= size; ++i) nodes_[i].cost = kNever;
    nodes_[0].cost = 0;
    nodes_[0].memory = state_.generic;
    std::uint32_t i = 0;
    for (; i < size; ++i) {
      nodes_[i].memory = memory_of(i, at);
      if (const Match whole = expand(i, at + i, size, count - i); whole.length > 0) {
        trace(i);
        chosen_.push_back(whole);
        return chosen_;
      }
    }
    trace(size);
    return chosen_;
  }

 private:
  static constexpr Layout l = kLayout<kProfile>;
  static constexpr Dimensions d = dimensions(kProfile);

  // What the memory is after the best way to node i.
  GenericMemory memory_of(std::uint32_t i, std::uint64_t at) {
    if (i == 0) return nodes_[0].memory;
    const Node& node = nodes_[i];
    GenericMemory memory = nodes_[node.from].memory;
    push_symbol(memory, node.by.kind);
    if (node.by.kind == Symbol::rep) {
      const std::uint64_t distance = memory.rep[node.by.rep];
      for (std::uint32_t k = node.by.rep; k > 0; --k) memory.rep[k] = memory.rep[k - 1];
      memory.rep[0] = distance;
    } else if (node.by.kind == Symbol::match) {
      for (std::uint32_t k = 3; k > 0; --k) memory.rep[k] = memory.rep[k - 1];
      memory.rep[0] = node.by.distance;
    }
    note_bytes(memory, &target_[at + i - node.by.length], node.by.length);
    return memory;
  }

  void reach(std::uint32_t to, std::uint32_t cost, std::uint32_t from, const Match& by) {
    Node& node = nodes_[to];
    if (cost >= node.cost) return;
    node.cost = cost;
    node.from = from;
    node.by = by;
  }

  // All symbols from node i. Returns a match to take at once, or one of length 0.
  Match expand(std::uint32_t i, std::uint64_t place, std::uint32_t size, std::uint64_t left) {
    const GenericMemory& memory = nodes_[i].memory;
    const std::uint32_t cost = nodes_[i].cost;
    const std::uint32_t state = memory.state;
    const Counter& is_match = state_.counters[l.is_match + state * 4 + static_cast<std::uint32_t>(place & 3u)];
    reach(i + 1, cost + cost_of(is_match, 0, table_) + price_literal(memory, place), i, {Symbol::literal, 0, 0, 1, false});

    const std::uint32_t match_cost = cost + cost_of(is_match, 1, table_);
    const auto left_max = static_cast<std::uint32_t>(std::min<std::uint64_t>(left, 0x7FFFFFFFu));
    const auto room = std::min(size - i, limits_.nice_length);
    const std::uint32_t rep_cost = match_cost + cost_of(state_.counters[l.is_rep + state], 1, table_);
    std::uint32_t rep_best = 0;
    for (std::uint32_t r = 0; r < 4; ++r) {
      const std::uint32_t length = finder_.agree(place, memory.rep[r], left_max);
      if (length < rep_min_) continue;
      if (length >= limits_.nice_length) return {Symbol::rep, r, 0, length, false};
      rep_best = std::max(rep_best, length);
      const std::uint32_t head = rep_cost + price_tree(&state_.counters[l.rep_index + state * 4], 2, r, table_);
      for (std::uint32_t n = rep_min_; n <= std::min(length, room); ++n)
        reach(i + n, head + rep_length_price_[n], i, {Symbol::rep, r, 0, n, false});
    }

    finder_.find(place, std::min(left_max, limits_.nice_length), found_);
    const std::uint32_t new_cost = match_cost + cost_of(state_.counters[l.is_rep + state], 0, table_);
    std::uint32_t n = rep_min_;
    for (const auto& match : found_) {
      if (match.length < limits_.match_min) continue;
      if (match.length >= limits_.nice_length)
        return {Symbol::match, 0, match.distance, finder_.agree(place, match.distance, left_max),
                price_distance(memory, match.distance, match.length).is_near};
      if (match.distance == memory.rep[0]) {
        n = std::max(n, match.length + 1);
        continue;
      }
      DistancePrice distance{};
      for (std::uint32_t context = kNever; n <= std::min(match.length, room); ++n) {
        if (const std::uint32_t now = std::min(static_cast<std::uint32_t>(n - kMatchMin), d.distance_contexts - 1); now != context) {
          distance = price_distance(memory, match.distance, n);
          context = now;
        }
        reach(i + n, new_cost + match_length_price_[n] + distance.price, i,
              {Symbol::match, 0, match.distance, n, distance.is_near});
      }
    }
    return {Symbol::literal, 0, 0, 0, false};
  }

  std::uint32_t price_literal(const GenericMemory& memory, std::uint64_t place) const {
    const std::uint32_t expected = expected_at(memory.rep[0], place);
    const Counter* counters = state_.counters.data();
    const std::uint32_t given = target_[place];
    std::uint32_t node = 1;
    std::uint32_t price = 0;
    if constexpr (d.literal_mixing != 0) {
      MixedLiteral<kProfile> literal(memory, expected);
      for (std::uint32_t shift = 8; shift-- > 0;) {
        const std::uint32_t bit = given >> shift & 1u;
        const Counter* inputs[kMixed];
        literal.inputs(counters, node, shift, inputs);
        price += cost_of(mix(inputs, counters + literal.weights(shift)).p16, bit, table_);
        literal.learn(bit, shift);
        node = node << 1 | bit;
      }
    } else {
      PlainLiteral<kProfile> literal(memory, expected);
      for (std::uint32_t shift = 8; shift-- > 0;) {
        const std::uint32_t bit = given >> shift & 1u;
        const std::uint32_t turned = literal.turn(bit, shift);
        price += cost_of(counters[literal.counter(node)], turned, table_);
        literal.learn(turned);
        node = node << 1 | bit;
      }
    }
    return price;
  }

  struct DistancePrice {
    std::uint32_t price;
    bool is_near;
  };
  // The cheaper way to tell a distance.
  DistancePrice price_distance(const GenericMemory& memory, std::uint64_t distance, std::uint32_t length) {
    const Counter& is_near = state_.counters[l.is_near + memory.state];
    const auto size_class = static_cast<std::uint32_t>(length - kMatchMin);
    const std::uint32_t context = std::min(size_class, d.distance_contexts - 1);
    const std::uint32_t far = cost_of(is_near, 0, table_) +
                              price_number(&state_.counters[l.distance + context * kNumberCounters], (distance - 1) >> 4, table_) +
                              price_tree(&state_.counters[l.align], 4, static_cast<std::uint32_t>(distance - 1) & 15u, table_);
    const bool up = distance > memory.rep[0];
    const std::uint64_t size = up ? distance - memory.rep[0] : memory.rep[0] - distance;
    if (size - 1 >= kNearMax) return {far, false};
    const Counter* nodes = &state_.counters[l.near];
    const std::uint32_t near =
        cost_of(is_near, 1, table_) + cost_of(nodes[kNumberCounters], up, table_) + price_number(nodes, size - 1, table_);
    return near < far ? DistancePrice{near, true} : DistancePrice{far, false};
  }

 public:
  std::uint32_t expected_at(std::uint64_t distance, std::uint64_t place) const {
    const std::uint64_t end = base_.size() + place;
    if (distance == 0 || distance > end) return 256;
    const std::uint64_t at = end - distance;
    if (at >= base_.size()) return target_[at - base_.size()];
    return finder_.reach().reaches(at, place, 1) ? base_[at] : 256;
  }

 private:
  void take_prices() {
    for (std::uint32_t n = kMatchMin; n <= limits_.nice_length; ++n) {
      match_length_price_[n] = price_number(&state_.counters[l.match_length], n - kMatchMin, table_);
      rep_length_price_[n] = price_number(&state_.counters[l.rep_length], n - kMatchMin, table_);
    }
  }

  void trace(std::uint32_t end) {
    for (std::uint32_t i = end; i > 0; i = nodes_[i].from) chosen_.push_back(nodes_[i].by);
    std::reverse(chosen_.begin(), chosen_.end());
  }

  EncoderState& state_;
  MatchFinder& finder_;
  ByteView base_;
  ByteView target_;
  const ParserLimits& limits_;
  const std::uint32_t rep_min_ = limits_.match_min > 3 ? limits_.match_min : static_cast<std::uint32_t>(kMatchMin);
  const CostTable& table_ = costs();
  std::vector<Node> nodes_;
  std::vector<Match> chosen_;
  std::vector<MatchFinder::Found> found_;
  std::array<std::uint32_t, 512> match_length_price_{};
  std::array<std::uint32_t, 512> rep_length_price_{};
};

}  // namespace

template <Profile kProfile, class Coder>
void code_generic(Coder& coder, EncoderState& state, MatchFinder& finder, ByteView base, ByteView target,
                  std::uint64_t from, std::uint64_t count, const ParserLimits& limits) {
  Parser<kProfile> parser(state, finder, base, target, limits);
  std::uint32_t block = kBlockFirst;
  for (std::uint64_t at = from; at < from + count;) {
    for (Match symbol : parser.plan(at, from + count - at, block)) {
      const std::uint32_t expected = parser.expected_at(state.generic.rep[0], at);
      code_symbol<kProfile>(coder, state.counters.data(), state.generic, at, from + count - at, symbol);
      if (symbol.kind == Symbol::literal) {
        code_literal<kProfile>(coder, state.counters.data(), state.generic, expected, target[at]);
      } else {
        note_bytes(state.generic, &target[at], symbol.length);
      }
      at += symbol.length;
    }
    block = std::min(block * 2, kBlockMax);
    if (limits.on_bytes) limits.on_bytes(at - from);
  }
}

template void code_generic<Profile::small>(RangeEncoder&, EncoderState&, MatchFinder&, ByteView, ByteView, std::uint64_t,
                                           std::uint64_t, const ParserLimits&);
template void code_generic<Profile::standard>(RangeEncoder&, EncoderState&, MatchFinder&, ByteView, ByteView, std::uint64_t,
                                              std::uint64_t, const ParserLimits&);
template void code_generic<Profile::small>(CostCoder&, EncoderState&, MatchFinder&, ByteView, ByteView, std::uint64_t,
                                           std::uint64_t, const ParserLimits&);
template void code_generic<Profile::standard>(CostCoder&, EncoderState&, MatchFinder&, ByteView, ByteView, std::uint64_t,
                                              std::uint64_t, const ParserLimits&);

}  // namespace hone::delta
