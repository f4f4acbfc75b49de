#include "cloud/service/evidence.hpp"

#include "shared/metrics/draw.hpp"

namespace hone::cloud {
namespace {

Result<Facts> from_clusters(const Evidence& evidence) {
  const MeasuredSpace& space = *evidence.space;
  const auto candidate = metrics::values_at<std::int32_t>(space.rows, evidence.candidate);
  const auto twins = metrics::values_at<std::uint8_t>(space.rows, evidence.kinship.twins);
  const auto blocks = metrics::values_at<std::uint32_t>(space.rows, evidence.kinship.blocks);
  std::vector<std::int32_t> deployed;
  Clusterings clusterings{{space.features, static_cast<std::int64_t>(space.rows.size()), space.width}, candidate, {},
                          {twins, blocks}};
  if (evidence.deployed) {
    deployed = metrics::values_at<std::int32_t>(space.rows, *evidence.deployed);
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
    return facts_from_figures(evidence.candidate, evidence.deployed, {}, {}, evidence.kinship);
  if (evidence.metric == Metric::score)
    return facts_from_figures(evidence.candidate, evidence.deployed, evidence.labels, evidence.label_names,
                              evidence.kinship);
  return facts_from_answers(evidence.metric, evidence.candidate, evidence.deployed, evidence.labels,
                            evidence.label_names, evidence.kinship);
}

}  // namespace hone::cloud
