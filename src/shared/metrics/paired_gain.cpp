#include "shared/metrics/paired_gain.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <numeric>
#include <tuple>
#include <vector>

namespace hone::metrics {
namespace {

// Rows with the same label and the same two predictions are one cell: their number is all that F1 asks for.
struct Cells {
  std::vector<std::uint32_t> cell_of_row;
  std::vector<std::tuple<std::int32_t, std::int32_t, std::int32_t>> cells;  // label, first, second
};

Cells cells_of(std::span<const std::int32_t> labels, std::span<const double> first, std::span<const double> second) {
  Cells result;
  std::map<std::tuple<std::int32_t, std::int32_t, std::int32_t>, std::uint32_t> numbers;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const std::tuple key{labels[row], static_cast<std::int32_t>(first[row]), static_cast<std::int32_t>(second[row])};
    const auto [entry, is_new] = numbers.emplace(key, static_cast<std::uint32_t>(result.cells.size()));
    if (is_new) result.cells.push_back(key);
    result.cell_of_row.push_back(entry->second);
  }
  return result;
}

struct Confusion {
  std::vector<double> right, there, predicted;
  explicit Confusion(std::int32_t classes)
      : right(static_cast<std::size_t>(classes)), there(right), predicted(right) {}

  void add(std::int32_t label, std::int32_t said, double count) {
    there[static_cast<std::size_t>(label)] += count;
    if (said < 0 || static_cast<std::size_t>(said) >= predicted.size()) return;
    predicted[static_cast<std::size_t>(said)] += count;
    if (said == label) right[static_cast<std::size_t>(label)] += count;
  }

  [[nodiscard]] double f1_of(std::size_t label) const {
    const double sum = there[label] + predicted[label];
    return sum > 0 ? 2 * right[label] / sum : 0;
  }

  [[nodiscard]] double f1() const {
    if (there.size() == 2) return f1_of(1);
    double sum = 0;
    for (std::size_t label = 0; label < there.size(); ++label) sum += f1_of(label);
    return there.empty() ? 0 : sum / static_cast<double>(there.size());
  }
};

// Rows by rising score, in runs of equal ones.
struct Ranking {
  std::vector<std::uint32_t> rows;
  std::vector<std::uint32_t> run_ends;
};

Ranking rank(std::span<const double> scores) {
  Ranking ranking;
  ranking.rows.resize(scores.size());
  std::iota(ranking.rows.begin(), ranking.rows.end(), 0u);
  std::stable_sort(ranking.rows.begin(), ranking.rows.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return scores[a] < scores[b]; });
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (i + 1 == scores.size() || scores[ranking.rows[i]] != scores[ranking.rows[i + 1]])
      ranking.run_ends.push_back(static_cast<std::uint32_t>(i + 1));
  return ranking;
}

template <class Weight>
double weighted_auc(const Ranking& ranking, std::span<const std::int32_t> labels, const Weight& weight) {
  double negatives = 0, positives = 0, pairs = 0;
  std::uint32_t i = 0;
  for (const std::uint32_t end : ranking.run_ends) {
    double run_negatives = 0, run_positives = 0;
    for (; i < end; ++i) {
      const std::uint32_t row = ranking.rows[i];
      (labels[row] == 1 ? run_positives : run_negatives) += weight(row);
    }
    pairs += run_positives * (negatives + run_negatives / 2);
    negatives += run_negatives;
    positives += run_positives;
  }
  return negatives > 0 && positives > 0 ? pairs / (negatives * positives) : 0.5;
}

}  // namespace

WeightedGain mean_gain(std::span<const double> first, std::span<const double> second) {
  std::vector<double> differences(first.size());
  for (std::size_t row = 0; row < first.size(); ++row) differences[row] = second[row] - first[row];
  return [differences = std::move(differences)](std::span<const std::uint32_t> weights) {
    double sum = 0, count = 0;
    for (std::size_t row = 0; row < differences.size(); ++row) {
      sum += weights[row] * differences[row];
      count += weights[row];
    }
    return count > 0 ? sum / count : 0;
  };
}

double f1(std::span<const std::int32_t> labels, std::span<const double> predicted, std::int32_t classes) {
  Confusion confusion(classes);
  for (std::size_t row = 0; row < labels.size(); ++row)
    confusion.add(labels[row], static_cast<std::int32_t>(predicted[row]), 1);
  return confusion.f1();
}

WeightedGain f1_gain(std::span<const std::int32_t> labels, std::span<const double> first,
                     std::span<const double> second, std::int32_t classes) {
  return [cells = cells_of(labels, first, second), classes](std::span<const std::uint32_t> weights) {
    std::vector<double> counts(cells.cells.size());
    for (std::size_t row = 0; row < weights.size(); ++row) counts[cells.cell_of_row[row]] += weights[row];
    Confusion one(classes), two(classes);
    for (std::size_t cell = 0; cell < counts.size(); ++cell) {
      const auto& [label, first_said, second_said] = cells.cells[cell];
      one.add(label, first_said, counts[cell]);
      two.add(label, second_said, counts[cell]);
    }
    return two.f1() - one.f1();
  };
}

double auc(std::span<const std::int32_t> labels, std::span<const double> scores) {
  return weighted_auc(rank(scores), labels, [](std::uint32_t) { return 1.0; });
}

WeightedGain auc_gain(std::span<const std::int32_t> labels, std::span<const double> first,
                      std::span<const double> second) {
  return [one = rank(first), two = rank(second), labels](std::span<const std::uint32_t> weights) {
    const auto weight = [weights](std::uint32_t row) { return static_cast<double>(weights[row]); };
    return weighted_auc(two, labels, weight) - weighted_auc(one, labels, weight);
  };
}

}  // namespace hone::metrics
