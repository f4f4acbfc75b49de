#include "trainer/kmeans/lloyd.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <utility>

namespace hone::trainer {
namespace {

constexpr int kReseedIterations = 4;    // of all restarts, in which a small cluster may move elsewhere,
constexpr int kRaceIterations = 4;      // then so many before the first half is dropped,
constexpr int kHeatIterations = 4;      // and so many of those that are left, before the next half is
constexpr int kPolishIterations = 200;  // of the winner
constexpr double kSettled = 1e-6;       // relative gain in inertia below which it has converged
constexpr int kExchangeIterations = 6;  // of each variant of the winner in which one cluster has moved elsewhere,
constexpr double kExchangeGain = 3e-4;  // and by how much one must be better, relative, to become the winner
constexpr int kExchangeFailures = 3;    // rounds in a row in which none was
constexpr int kExchangeRoundsMax = 8;

using Numbers = std::vector<std::size_t>;

// Some restarts side by side, and how the last pass found them.
struct Field {
  std::int64_t r = 0, k = 0, features = 0;
  std::vector<float> centroids;   // [r, k, features]
  std::vector<float> next;        // the means of that pass
  std::vector<double> inertia;    // [r] of `centroids`
  std::vector<double> gain;       // [r] relative to the pass before
  std::vector<double> smallest;   // [r] rows in the smallest cluster
  std::vector<double> members;    // [r, k]

  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(k * features); }
  [[nodiscard]] bool settled() const {
    return std::all_of(gain.begin(), gain.end(), [](double g) { return g <= kSettled; });
  }
};

class Search {
 public:
  Search(ClusterRows& rows, std::int64_t k, const KMeansRules& rules, std::uint64_t seed,
         const std::function<bool()>& stop)
      : rows_(rows),
        k_(k),
        tries_(2 + static_cast<std::int64_t>(std::log(static_cast<double>(k)))),
        rules_(rules),
        random_(seed),
        stop_(stop),
        rows_min_(rules.min_cluster * static_cast<double>(rows.rows())) {}

  // k-means++ with several candidates a seed, of which the one that leaves the least inertia is taken.
  [[nodiscard]] Field seeds();
  // At most so many iterations, fewer when all of the field have settled.
  [[nodiscard]] Result<> run(Field& field, int iterations, bool reseed);
  // The winner among the restarts `names` of the race, settled; `names` are then those that got so far.
  [[nodiscard]] Result<Field> heats(const Field& race, Numbers& names);
  // Moves single clusters of a settled winner elsewhere while that helps, which Lloyd's iterations cannot.
  [[nodiscard]] Result<> improve(Field& winner);

  [[nodiscard]] bool sound(const Field& field, std::size_t restart) const { return field.smallest[restart] >= rows_min_; }
  // The sound restarts of the field, the best first.
  [[nodiscard]] Numbers ranked(const Field& field) const;

 private:
  [[nodiscard]] std::vector<double> fractions(std::int64_t count);
  void iterate(Field& field, bool reseed);
  void move_small(Field& field, const Pass& pass);
  [[nodiscard]] Field exchanges(const Field& winner);

  ClusterRows& rows_;
  const std::int64_t k_;
  const std::int64_t tries_;  // candidates a seed
  const KMeansRules& rules_;
  std::mt19937_64 random_;
  const std::function<bool()>& stop_;
  const double rows_min_;
};

// Some of a field, to go on from where it stands.
Field chosen(const Field& field, std::span<const std::size_t> restarts) {
  Field result;
  result.r = static_cast<std::int64_t>(restarts.size());
  result.k = field.k;
  result.features = field.features;
  for (const std::size_t j : restarts) {
    const auto first = field.next.begin() + static_cast<std::ptrdiff_t>(j * field.size());
    result.next.insert(result.next.end(), first, first + static_cast<std::ptrdiff_t>(field.size()));
    result.inertia.push_back(field.inertia[j]);
    result.smallest.push_back(field.smallest[j]);
  }
  return result;
}

std::vector<double> Search::fractions(std::int64_t count) {
  std::vector<double> result;
  for (std::int64_t i = 0; i < count; ++i) result.push_back(std::ldexp(static_cast<double>(random_() >> 11), -53));
  return result;
}

// Of each of `groups` groups of candidates the one that leaves the least: [groups, features].
std::vector<float> best_of(std::span<const float> candidates, const std::vector<double>& remaining, std::int64_t groups) {
  const std::size_t each = remaining.size() / static_cast<std::size_t>(groups), width = candidates.size() / remaining.size();
  std::vector<float> result;
  for (std::size_t from = 0; from < remaining.size(); from += each) {
    const auto first = remaining.begin() + static_cast<std::ptrdiff_t>(from);
    const auto best = std::min_element(first, first + static_cast<std::ptrdiff_t>(each)) - remaining.begin();
    const auto row = candidates.subspan(static_cast<std::size_t>(best) * width, width);
    result.insert(result.end(), row.begin(), row.end());
  }
  return result;
}

Field Search::seeds() {
  const std::int64_t r = rules_.restarts, features = rows_.features();
  Field field{r, k_, features, std::vector<float>(static_cast<std::size_t>(r * k_ * features)), {}, {}, {}, {}, {}};
  rows_.begin_seeds(r);
  for (std::int64_t seed = 0; seed < k_; ++seed) {
    std::vector<float> taken = rows_.gather(rows_.draw(fractions(r * (seed == 0 ? 1 : tries_))));
    if (seed > 0) taken = best_of(taken, rows_.try_seeds(taken), r);
    rows_.take_seeds(taken);
    for (std::int64_t j = 0; j < r; ++j)
      std::copy_n(taken.begin() + j * features, features, field.centroids.begin() + (j * k_ + seed) * features);
  }
  field.next = field.centroids;
  return field;
}

// Steps to the means of the last pass, and measures them.
void Search::iterate(Field& field, bool reseed) {
  field.centroids = std::move(field.next);
  Pass pass = rows_.pass(field.centroids, field.r, rules_.trim);
  const auto clusters = static_cast<std::size_t>(field.k), width = static_cast<std::size_t>(field.features);
  field.next = field.centroids;
  for (std::size_t c = 0; c < pass.pulling.size(); ++c)
    if (pass.pulling[c] > 0)
      for (std::size_t p = 0; p < width; ++p)
        field.next[c * width + p] = static_cast<float>(pass.sums[c * width + p] / pass.pulling[c]);
  const std::vector<double> before = std::exchange(field.inertia, std::move(pass.inertia));
  field.gain.assign(field.inertia.size(), std::numeric_limits<double>::infinity());
  field.smallest.clear();
  for (std::size_t j = 0; j < field.inertia.size(); ++j) {
    if (!before.empty()) field.gain[j] = (before[j] - field.inertia[j]) / std::max(field.inertia[j], 1e-300);
    const auto first = pass.members.begin() + static_cast<std::ptrdiff_t>(j * clusters);
    field.smallest.push_back(*std::min_element(first, first + field.k));
  }
  if (reseed) move_small(field, pass);
  field.members = std::move(pass.members);
}

// A cluster below the least share begins anew at a row that is far from all centroids, but not so far that it is
// trimmed.
void Search::move_small(Field& field, const Pass& pass) {
  const auto small = [&](double members) { return members < rows_min_; };
  if (std::none_of(pass.members.begin(), pass.members.end(), small)) return;
  const auto width = static_cast<std::size_t>(field.features);
  const std::vector<float> fresh = rows_.gather(rows_.draw(fractions(field.r * field.k)));
  for (std::size_t c = 0; c < pass.members.size(); ++c)
    if (small(pass.members[c]))
      std::copy_n(fresh.begin() + static_cast<std::ptrdiff_t>(c * width), width,
                  field.next.begin() + static_cast<std::ptrdiff_t>(c * width));
}

Numbers Search::ranked(const Field& field) const {
  Numbers order;
  for (std::size_t j = 0; j < field.inertia.size(); ++j)
    if (sound(field, j)) order.push_back(j);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return field.inertia[a] < field.inertia[b]; });
  return order;
}

Result<> Search::run(Field& field, int iterations, bool reseed) {
  for (int i = 0; i < iterations && !(i > 0 && !reseed && field.settled()); ++i) {
    if (stop_()) return fail(Code::cancelled, "training was stopped");
    iterate(field, reseed);
  }
  return {};
}

Result<Field> Search::heats(const Field& race, Numbers& names) {
  Field field = chosen(race, names);
  for (bool won = false; !won;) {
    Numbers best = ranked(field);
    if (best.empty()) break;
    best.resize((best.size() + 1) / 2);
    won = best.size() == 1;
    field = chosen(field, best);
    for (std::size_t& place : best) place = names[place];
    names = std::move(best);
    HONE_CHECK(run(field, won ? kPolishIterations : kHeatIterations, false));
  }
  return field;
}

// The pairs of clusters by what merging them adds to the inertia (Ward 1963), the cheapest first: at most `count`.
std::vector<std::pair<std::size_t, std::size_t>> cheapest_merges(const Field& field, std::size_t count) {
  struct Merge {
    double cost;
    std::size_t into, from;
  };
  std::vector<Merge> merges;
  const auto k = static_cast<std::size_t>(field.k), width = static_cast<std::size_t>(field.features);
  for (std::size_t a = 0; a < k; ++a)
    for (std::size_t b = a + 1; b < k; ++b) {
      double square = 0;
      for (std::size_t p = 0; p < width; ++p) {
        const double away = static_cast<double>(field.centroids[a * width + p]) - static_cast<double>(field.centroids[b * width + p]);
        square += away * away;
      }
      const double weight = field.members[a] * field.members[b] / std::max(1.0, field.members[a] + field.members[b]);
      merges.push_back({square * weight, a, b});
    }
  std::stable_sort(merges.begin(), merges.end(), [](const Merge& x, const Merge& y) { return x.cost < y.cost; });
  merges.resize(std::min(merges.size(), count));
  std::vector<std::pair<std::size_t, std::size_t>> result;
  for (const Merge& merge : merges) result.emplace_back(merge.into, merge.from);
  return result;
}

// As many variants of the winner as there were restarts: in each, two clusters that cost little to merge are one, and
// the one that is left over begins anew at a row that is far from all centroids.
Field Search::exchanges(const Field& winner) {
  const auto width = static_cast<std::size_t>(winner.features);
  const std::int64_t r = rules_.restarts;
  const auto merges = cheapest_merges(winner, static_cast<std::size_t>(std::min(r, (winner.k + 1) / 2)));
  const std::vector<float> candidates = rows_.gather(rows_.draw(fractions(r * tries_)));
  const std::vector<float> fresh = best_of(candidates, rows_.try_seeds(candidates), r);
  Field field;
  field.r = r;
  field.k = winner.k;
  field.features = winner.features;
  for (std::size_t j = 0; j < static_cast<std::size_t>(r); ++j) {
    const auto [into, from] = merges[j % merges.size()];
    const std::size_t start = field.next.size();
    field.next.insert(field.next.end(), winner.centroids.begin(), winner.centroids.end());
    const double all = std::max(1.0, winner.members[into] + winner.members[from]);
    for (std::size_t p = 0; p < width; ++p) {
      const double sum = winner.members[into] * static_cast<double>(winner.centroids[into * width + p]) +
                         winner.members[from] * static_cast<double>(winner.centroids[from * width + p]);
      field.next[start + into * width + p] = static_cast<float>(sum / all);
      field.next[start + from * width + p] = fresh[j * width + p];
    }
  }
  return field;
}

Result<> Search::improve(Field& winner) {
  for (int failed = 0, round = 0; k_ > 1 && failed < kExchangeFailures && round < kExchangeRoundsMax; ++round) {
    Field variants = exchanges(winner);
    HONE_CHECK(run(variants, kExchangeIterations, false));
    const Numbers best = ranked(variants);
    const bool better = !best.empty() && variants.inertia[best[0]] < (1 - kExchangeGain) * winner.inertia[0];
    failed = better ? 0 : failed + 1;
    Field next = better ? chosen(variants, std::span(best).first(1)) : winner;
    if (!better) next.next = winner.centroids;  // once more, because draws are made from the last pass
    HONE_CHECK(run(next, better ? kPolishIterations : 1, false));
    if (better && sound(next, 0)) winner = std::move(next);
  }
  return {};
}

Clustering largest_first(const Field& field, double rows) {
  const auto width = static_cast<std::ptrdiff_t>(field.features);
  Numbers order(static_cast<std::size_t>(field.k));
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return field.members[a] > field.members[b]; });
  Clustering result{field.k, {}, field.inertia[0], field.smallest[0] / rows};
  for (const std::size_t c : order) {
    const auto first = field.centroids.begin() + static_cast<std::ptrdiff_t>(c) * width;
    result.centroids.insert(result.centroids.end(), first, first + width);
  }
  return result;
}

}  // namespace

Result<Clustering> trimmed_kmeans(ClusterRows& rows, std::int64_t k, const KMeansRules& rules, std::uint64_t seed,
                                  const std::function<bool()>& stop) {
  Search search(rows, k, rules, seed, stop);
  Field race = search.seeds();
  HONE_CHECK(search.run(race, kReseedIterations, true));
  HONE_CHECK(search.run(race, kRaceIterations, false));
  // A winner whose clusters turn out too small leaves, and the race is run again from here without it.
  for (Numbers left = search.ranked(race); !left.empty();) {
    Numbers names = left;
    HONE_TRY(Field field, search.heats(race, names));
    if (field.r == 1 && search.sound(field, 0)) {
      HONE_CHECK(search.improve(field));
      return largest_first(field, static_cast<double>(rows.rows()));
    }
    std::erase_if(left, [&](std::size_t j) { return std::find(names.begin(), names.end(), j) != names.end(); });
  }
  return fail(Code::not_found, "no restart gave " + std::to_string(k) + " clusters that hold at least " +
                                   std::to_string(std::llround(100 * rules.min_cluster)) + "% of the rows each");
}

}  // namespace hone::trainer
