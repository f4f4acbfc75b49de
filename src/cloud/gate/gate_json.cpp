// Verdicts and the facts behind them, as they are stored and shown.
#include <bit>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "base/hash.hpp"
#include "cloud/gate/gate.hpp"
#include "shared/wire/npy.hpp"

namespace hone::cloud {
namespace {

constexpr std::size_t kSlicesMax = 4096;
constexpr std::int64_t kColumns = 4;  // and one more for blocks

Json to_json(const metrics::PairedCounts& counts) {
  return {{"both", counts.both},
          {"only_deployed", counts.only_first},
          {"only_candidate", counts.only_second},
          {"neither", counts.neither}};
}

Result<std::int64_t> count_from(const Json& json, std::string_view key) {
  HONE_TRY(const std::int64_t value, get_int(json, key));
  if (value < 0 || value > (std::int64_t{1} << 40))
    return fail(Code::invalid, "'" + std::string(key) + "' must be a count");
  return value;
}

Result<metrics::PairedCounts> counts_from(const Json& json) {
  metrics::PairedCounts counts;
  HONE_TRY(counts.both, count_from(json, "both"));
  HONE_TRY(counts.only_first, count_from(json, "only_deployed"));
  HONE_TRY(counts.only_second, count_from(json, "only_candidate"));
  HONE_TRY(counts.neither, count_from(json, "neither"));
  return counts;
}

Result<metrics::PairedCounts> counts_at(const Json& json) {
  HONE_TRY(const Json* counts, get_object(json, "counts"));
  return counts_from(*counts);
}

Json to_json(const metrics::Interval& interval) {
  return {{"lower", interval.lower}, {"upper", interval.upper}};
}

Result<metrics::Interval> interval_at(const Json& json, std::string_view key) {
  metrics::Interval interval;
  HONE_TRY(const Json* object, get_object(json, key));
  HONE_TRY(interval.lower, get_number(*object, "lower"));
  HONE_TRY(interval.upper, get_number(*object, "upper"));
  return interval;
}

Result<const Json*> slices_at(const Json& json) {
  HONE_TRY(const Json* slices, get_array(json, "slices"));
  if (slices->size() > kSlicesMax) return fail(Code::invalid, "'slices' has more than 4096 items");
  return slices;
}

Result<Metric> metric_from(std::string_view name) {
  for (const Metric metric : {Metric::accuracy, Metric::f1, Metric::auc, Metric::silhouette, Metric::score,
                              Metric::reconstruction})
    if (name == name_of(metric)) return metric;
  return fail(Code::invalid, "'metric' must be \"accuracy\", \"f1\", \"auc\", \"silhouette\" or \"score\"");
}

Json to_json(const GatePolicy& policy) {
  return {{"metric", name_of(policy.metric)},
          {"goal", policy.goal},
          {"first_goal", policy.first_goal},
          {"margin", policy.margin},
          {"confidence", policy.confidence},
          {"no_slice_worse_than", policy.no_slice_worse_than},
          {"smallest_cluster", policy.smallest_cluster}};
}

Result<GatePolicy> policy_from(const Json& json) {
  GatePolicy policy;
  HONE_TRY(const std::string metric, get_string(json, "metric"));
  HONE_TRY(policy.metric, metric_from(metric));
  HONE_TRY(policy.goal, get_number(json, "goal"));
  HONE_TRY(policy.first_goal, get_number(json, "first_goal"));
  HONE_TRY(policy.margin, get_number(json, "margin"));
  HONE_TRY(policy.confidence, get_number(json, "confidence"));
  HONE_TRY(policy.no_slice_worse_than, get_number(json, "no_slice_worse_than"));
  HONE_TRY(policy.smallest_cluster, get_number(json, "smallest_cluster"));
  if (!(policy.confidence > 0 && policy.confidence < 1))
    return fail(Code::invalid, "'confidence' must lie between 0 and 1");
  return policy;
}

Json to_json(const CandidateFacts& facts) {
  Json json{{"rows", facts.rows},
            {"measured_rows", facts.measured_rows},
            {"metric", facts.metric},
            {"rows_with_twin", facts.rows_with_twin}};
  if (!facts.cluster_sizes.empty()) json["cluster_sizes"] = facts.cluster_sizes;
  if (!facts.ruler.empty()) json["ruler"] = facts.ruler;
  return json;
}

Result<std::string> ruler_from(const Json& json) {
  if (!json.contains("ruler")) return std::string();
  return get_string(json, "ruler");
}

Result<CandidateFacts> candidate_from(const Json& json) {
  CandidateFacts facts;
  HONE_TRY(facts.rows, count_from(json, "rows"));
  HONE_TRY(facts.measured_rows, count_from(json, "measured_rows"));
  HONE_TRY(facts.metric, get_number(json, "metric"));
  HONE_TRY(facts.rows_with_twin, count_from(json, "rows_with_twin"));
  HONE_TRY(facts.ruler, ruler_from(json));
  if (!json.contains("cluster_sizes")) return facts;
  HONE_TRY(const Json* sizes, get_array(json, "cluster_sizes"));
  for (const Json& size : *sizes) {
    if (!size.is_number_unsigned()) return fail(Code::invalid, "'cluster_sizes' must hold counts");
    facts.cluster_sizes.push_back(size.get<std::int64_t>());
  }
  return facts;
}

Json to_json(const DeployedFacts& facts) {
  Json slices = Json::array();
  for (const SliceFacts& slice : facts.slices)
    slices.push_back({{"label", slice.label}, {"counts", to_json(slice.counts)}});
  Json json{{"metric", facts.metric},
            {"counts", to_json(facts.counts)},
            {"counts_without_twin", to_json(facts.counts_without_twin)},
            {"slices", std::move(slices)},
            {"seed", std::to_string(facts.seed)},  // 64 bits, which not every reader of JSON keeps
            {"rows", nullptr}};
  if (facts.rows.size() > 0)
    json["rows"] = {{"count", facts.rows.size()}, {"sha256", sha256(rows_to_npy(facts.rows)).hex()}};
  return json;
}

Result<PairedRows> named_rows(const Json& named, ByteView npy) {
  HONE_TRY(const std::string hash, get_string(named, "sha256"));
  if (npy.empty())
    return fail(Code::invalid, "the verdict stands on single rows, which are in the blob " + hash + ": read it too");
  if (sha256(npy).hex() != hash) return fail(Code::damaged, "the rows are not those that the verdict stands on");
  return rows_from_npy(npy);
}

Result<DeployedFacts> deployed_from(const Json& json, ByteView npy) {
  DeployedFacts facts;
  HONE_TRY(facts.metric, get_number(json, "metric"));
  HONE_TRY(facts.counts, counts_at(json));
  HONE_TRY(const Json* others, get_object(json, "counts_without_twin"));
  HONE_TRY(facts.counts_without_twin, counts_from(*others));
  HONE_TRY(const std::string seed, get_string(json, "seed"));
  if (seed.empty() || seed.size() > 20 || seed.find_first_not_of("0123456789") != std::string::npos)
    return fail(Code::invalid, "'seed' must be a whole number");
  facts.seed = std::strtoull(seed.c_str(), nullptr, 10);
  HONE_TRY(const Json* slices, slices_at(json));
  for (const Json& item : *slices) {
    SliceFacts slice;
    HONE_TRY(slice.label, get_string(item, "label"));
    HONE_TRY(slice.counts, counts_at(item));
    facts.slices.push_back(std::move(slice));
  }
  if (json.contains("rows") && !json["rows"].is_null()) {
    HONE_TRY(facts.rows, named_rows(json["rows"], npy));
  }
  return facts;
}

Result<Decision> decision_from(std::string_view name) {
  for (const Decision decision : {Decision::promote, Decision::hold, Decision::reject})
    if (name == name_of(decision)) return decision;
  return fail(Code::invalid, "'decision' must be \"promote\", \"hold\" or \"reject\"");
}

}  // namespace

Json to_json(const Verdict& v) {
  Json json{{"decision", std::string(name_of(v.decision))},
            {"reason", v.reason},
            {"goal_met", v.goal_met},
            {"first", v.first},
            {"compared", v.compared},
            {"metric", v.metric},
            {"candidate_metric", v.candidate_metric},
            {"rows", v.rows},
            {"measured_rows", v.measured_rows},
            {"rows_with_twin", v.rows_with_twin},
            {"margin", v.margin},
            {"confidence", v.confidence},
            {"words", in_words(v)}};
  if (!v.ruler.empty()) json["ruler"] = v.ruler;
  if (!v.compared) return json;
  Json slices = Json::array();
  for (const SliceVerdict& slice : v.slices)
    slices.push_back({{"label", slice.label},
                      {"rows", slice.rows},
                      {"gain", slice.gain},
                      {"p", slice.p},
                      {"worse", slice.worse}});
  json["deployed_metric"] = v.deployed_metric;
  json["counts"] = to_json(v.counts);
  json["gain"] = v.gain;
  json["gain_bounds"] = to_json(v.gain_bounds);
  json["mcnemar_p"] = v.mcnemar_p;
  json["look"] = v.look;
  json["look_confidence"] = v.look_confidence;
  json["replicates"] = v.replicates;
  json["effective_rows"] = v.effective_rows;
  if (v.blocks > 0) json["blocks"] = v.blocks;
  json["rows_needed"] = v.rows_needed ? Json(*v.rows_needed) : Json(nullptr);
  json["rows_needed_gain"] = v.rows_needed_gain;
  if (v.without_twin)
    json["without_twin"] = {{"rows", v.without_twin->rows},
                            {"gain", v.without_twin->gain},
                            {"gain_bounds", to_json(v.without_twin->gain_bounds)},
                            {"too_few", v.without_twin->too_few}};
  json["slices"] = std::move(slices);
  return json;
}

Result<Verdict> verdict_from(const Json& json) {
  Verdict v;
  HONE_TRY(const std::string decision, get_string(json, "decision"));
  HONE_TRY(v.decision, decision_from(decision));
  HONE_TRY(v.reason, get_string(json, "reason"));
  HONE_TRY(v.goal_met, get_bool(json, "goal_met"));
  HONE_TRY(v.first, get_bool(json, "first"));
  HONE_TRY(v.compared, get_bool(json, "compared"));
  HONE_TRY(v.metric, get_string(json, "metric"));
  HONE_TRY(v.candidate_metric, get_number(json, "candidate_metric"));
  HONE_TRY(v.rows, count_from(json, "rows"));
  HONE_TRY(v.measured_rows, count_from(json, "measured_rows"));
  HONE_TRY(v.rows_with_twin, count_from(json, "rows_with_twin"));
  HONE_TRY(v.margin, get_number(json, "margin"));
  HONE_TRY(v.confidence, get_number(json, "confidence"));
  HONE_TRY(v.ruler, ruler_from(json));
  if (!v.compared) return v;
  HONE_TRY(v.deployed_metric, get_number(json, "deployed_metric"));
  HONE_TRY(v.counts, counts_at(json));
  HONE_TRY(v.gain, get_number(json, "gain"));
  HONE_TRY(v.gain_bounds, interval_at(json, "gain_bounds"));
  HONE_TRY(v.mcnemar_p, get_number(json, "mcnemar_p"));
  HONE_TRY(v.look, count_from(json, "look"));
  HONE_TRY(v.look_confidence, get_number(json, "look_confidence"));
  HONE_TRY(v.replicates, count_from(json, "replicates"));
  HONE_TRY(v.effective_rows, get_number(json, "effective_rows"));
  if (json.contains("blocks")) {
    HONE_TRY(v.blocks, count_from(json, "blocks"));
  }
  HONE_TRY(v.rows_needed_gain, get_number(json, "rows_needed_gain"));
  if (json.contains("rows_needed") && !json["rows_needed"].is_null()) {
    HONE_TRY(v.rows_needed, get_int(json, "rows_needed"));
  }
  if (json.contains("without_twin")) {
    TwinFreeVerdict& others = v.without_twin.emplace();
    HONE_TRY(const Json* part, get_object(json, "without_twin"));
    HONE_TRY(others.rows, count_from(*part, "rows"));
    HONE_TRY(others.gain, get_number(*part, "gain"));
    HONE_TRY(others.gain_bounds, interval_at(*part, "gain_bounds"));
    HONE_TRY(others.too_few, get_bool(*part, "too_few"));
  }
  HONE_TRY(const Json* slices, slices_at(json));
  for (const Json& item : *slices) {
    SliceVerdict slice;
    HONE_TRY(slice.label, get_string(item, "label"));
    HONE_TRY(slice.rows, count_from(item, "rows"));
    HONE_TRY(slice.gain, get_number(item, "gain"));
    HONE_TRY(slice.p, get_number(item, "p"));
    HONE_TRY(slice.worse, get_bool(item, "worse"));
    v.slices.push_back(std::move(slice));
  }
  return v;
}

Json to_json(const GateRecord& record) {
  Json json{{"policy", to_json(record.policy)},
            {"deployed", record.deployed ? to_json(*record.deployed) : Json(nullptr)},
            {"candidate", to_json(record.candidate)},
            {"verdict", to_json(record.verdict)}};
  // A verdict that compared nothing was no look.
  if (record.deployed && record.verdict.compared)
    json["look"] = {{"number", record.deployed->look.number}, {"first_rows", record.deployed->look.first_rows}};
  return json;
}

Result<GateRecord> gate_record_from(const Json& json, ByteView npy) {
  GateRecord record;
  HONE_TRY(const Json* policy, get_object(json, "policy"));
  HONE_TRY(record.policy, policy_from(*policy));
  HONE_TRY(const Json* candidate, get_object(json, "candidate"));
  HONE_TRY(record.candidate, candidate_from(*candidate));
  if (json.contains("deployed") && !json["deployed"].is_null()) {
    HONE_TRY(record.deployed, deployed_from(json["deployed"], npy));
    if (const auto look = look_of(json)) record.deployed->look = *look;
  }
  HONE_TRY(const Json* verdict, get_object(json, "verdict"));
  HONE_TRY(record.verdict, verdict_from(*verdict));
  return record;
}

Bytes rows_to_npy(const PairedRows& rows) {
  const std::int64_t columns = kColumns + (rows.block.empty() ? 0 : 1);
  Bytes npy = wire::npy_header("<f8", {rows.size(), columns});
  npy.reserve(npy.size() + static_cast<std::size_t>(rows.size() * columns) * sizeof(double));
  const auto append = [&npy](double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    for (int byte = 0; byte < 8; ++byte) npy.push_back(static_cast<Bytes::value_type>(bits >> (8 * byte)));
  };
  for (std::size_t row = 0; row < rows.label.size(); ++row) {
    append(rows.label[row]);
    append(rows.twin[row]);
    append(rows.deployed[row]);
    append(rows.candidate[row]);
    if (!rows.block.empty()) append(rows.block[row]);
  }
  return npy;
}

Result<PairedRows> rows_from_npy(ByteView npy) {
  HONE_TRY(const wire::NpyHeader header, wire::parse_npy(npy, npy.size()));
  if (header.descr != "<f8" || header.shape.size() != 2 || (header.shape[1] != kColumns && header.shape[1] != kColumns + 1))
    return fail(Code::invalid, "the rows of a verdict are a float64 matrix with 4 columns, or 5 where rows come in blocks");
  PairedRows rows;
  std::size_t at = header.data_offset;
  const auto next = [&npy, &at] {
    std::uint64_t bits = 0;
    for (std::size_t byte = 8; byte-- > 0;) bits = bits << 8 | static_cast<std::uint8_t>(npy[at + byte]);
    at += 8;
    return std::bit_cast<double>(bits);
  };
  for (std::int64_t row = 0; row < header.shape[0]; ++row) {
    const double label = next(), twin = next();
    if (!(label >= -1 && label < 1e6)) return fail(Code::invalid, "a row's label is out of range");
    rows.label.push_back(static_cast<std::int32_t>(label));
    rows.twin.push_back(twin != 0 ? 1 : 0);
    rows.deployed.push_back(next());
    rows.candidate.push_back(next());
    if (!std::isfinite(rows.deployed.back()) || !std::isfinite(rows.candidate.back()))
      return fail(Code::invalid, "a row's figure is no finite number");
    if (header.shape[1] == kColumns) continue;
    const double block = next();
    if (!(block >= 0 && block < 4294967296.0)) return fail(Code::invalid, "a row's block is out of range");
    rows.block.push_back(static_cast<std::uint32_t>(block));
  }
  return rows;
}

}  // namespace hone::cloud
