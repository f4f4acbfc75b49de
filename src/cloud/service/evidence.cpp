#include "cloud/service/evidence.hpp"

namespace hone::cloud {
namespace {

std::vector<std::int32_t> clusters_at(std::span<const double> clusters, const std::vector<std::int64_t>& rows) {
  std::vector<std::int32_t> chosen;
  chosen.reserve(rows.size());
  for (const std::int64_t row : rows)
    chosen.push_back(static_cast<std::int32_t>(clusters[static_cast<std::size_t>(row)]));
  return chosen;
}

Result<Facts> from_clusters(const Evidence& evidence) {
  const MeasuredSpace& space = *evidence.space;
  const auto candidate = clusters_at(evidence.candidate, space.rows);
  std::vector<std::int32_t> deployed;
  std::vector<std::uint8_t> twins;
  for (const std::int64_t row : space.rows)
    if (!evidence.twins.empty()) twins.push_back(evidence.twins[static_cast<std::size_t>(row)]);
  Clusterings clusterings{{space.features, static_cast<std::int64_t>(space.rows.size()), space.width}, candidate, {},
                          twins};
  if (evidence.deployed) {
    deployed = clusters_at(*evidence.deployed, space.rows);
    clusterings.deployed = deployed;
  }
  HONE_TRY(Facts facts, facts_from_clusters(clusterings, evidence.measured_max, evidence.seed));
  facts.candidate.rows = static_cast<std::int64_t>(evidence.candidate.size());
  facts.candidate.ruler = space.ruler.hex();
  return facts;
}

}  // namespace

Result<Facts> facts_from(const Evidence& evidence) {
  if (evidence.metric == Metric::silhouette) return from_clusters(evidence);
  if (evidence.metric == Metric::reconstruction)
    return facts_from_figures(evidence.candidate, evidence.deployed, {}, {}, evidence.twins);
  if (evidence.metric == Metric::score)
    return facts_from_figures(evidence.candidate, evidence.deployed, evidence.labels, evidence.label_names,
                              evidence.twins);
  return facts_from_answers(evidence.metric, evidence.candidate, evidence.deployed, evidence.labels,
                            evidence.label_names, evidence.twins);
}

}  // namespace hone::cloud
