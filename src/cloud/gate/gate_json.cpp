// Verdicts and the facts behind them, as they are stored and shown.
#include <cmath>
#include <utility>

#include "cloud/gate/gate.hpp"

namespace hone::cloud {
namespace {

constexpr std::size_t kSlicesMax = 4096;

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

Json to_json(const GatePolicy& policy) {
  return {{"metric", "accuracy"},
          {"goal", policy.goal},
          {"first_goal", policy.first_goal},
          {"margin", policy.margin},
          {"confidence", policy.confidence},
          {"no_slice_worse_than", policy.no_slice_worse_than}};
}

Result<GatePolicy> policy_from(const Json& json) {
  GatePolicy policy;
  HONE_TRY(const std::string metric, get_string(json, "metric"));
  if (metric != "accuracy") return fail(Code::invalid, "'metric' must be \"accuracy\" in this version");
  HONE_TRY(policy.goal, get_number(json, "goal"));
  HONE_TRY(policy.first_goal, get_number(json, "first_goal"));
  HONE_TRY(policy.margin, get_number(json, "margin"));
  HONE_TRY(policy.confidence, get_number(json, "confidence"));
  HONE_TRY(policy.no_slice_worse_than, get_number(json, "no_slice_worse_than"));
  if (!(policy.confidence > 0 && policy.confidence < 1))
    return fail(Code::invalid, "'confidence' must lie between 0 and 1");
  return policy;
}

Json to_json(const CandidateFacts& facts) {
  return {{"rows", facts.rows}, {"labelled_rows", facts.labelled_rows}, {"metric", facts.metric}};
}

Result<CandidateFacts> candidate_from(const Json& json) {
  CandidateFacts facts;
  HONE_TRY(facts.rows, count_from(json, "rows"));
  HONE_TRY(facts.labelled_rows, count_from(json, "labelled_rows"));
  HONE_TRY(facts.metric, get_number(json, "metric"));
  return facts;
}

Json to_json(const DeployedFacts& facts) {
  Json slices = Json::array();
  for (const SliceFacts& slice : facts.slices)
    slices.push_back({{"label", slice.label}, {"counts", to_json(slice.counts)}});
  return {{"metric", facts.metric}, {"counts", to_json(facts.counts)}, {"slices", std::move(slices)}};
}

Result<DeployedFacts> deployed_from(const Json& json) {
  DeployedFacts facts;
  HONE_TRY(facts.metric, get_number(json, "metric"));
  HONE_TRY(facts.counts, counts_at(json));
  HONE_TRY(const Json* slices, slices_at(json));
  for (const Json& item : *slices) {
    SliceFacts slice;
    HONE_TRY(slice.label, get_string(item, "label"));
    HONE_TRY(slice.counts, counts_at(item));
    facts.slices.push_back(std::move(slice));
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
            {"metric", v.metric},
            {"candidate_metric", v.candidate_metric},
            {"rows", v.rows},
            {"labelled_rows", v.labelled_rows},
            {"margin", v.margin},
            {"confidence", v.confidence}};
  if (v.first) return json;
  Json slices = Json::array();
  for (const SliceVerdict& slice : v.slices)
    slices.push_back({{"label", slice.label},
                      {"counts", to_json(slice.counts)},
                      {"gain_bounds", to_json(slice.gain)},
                      {"worse", slice.worse}});
  json["deployed_metric"] = v.deployed_metric;
  json["counts"] = to_json(v.counts);
  json["gain"] = v.gain;
  json["gain_bounds"] = to_json(v.gain_bounds);
  json["mcnemar_p"] = v.mcnemar_p;
  json["rows_needed"] = v.rows_needed ? Json(*v.rows_needed) : Json(nullptr);
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
  HONE_TRY(v.metric, get_string(json, "metric"));
  HONE_TRY(v.candidate_metric, get_number(json, "candidate_metric"));
  HONE_TRY(v.rows, count_from(json, "rows"));
  HONE_TRY(v.labelled_rows, count_from(json, "labelled_rows"));
  HONE_TRY(v.margin, get_number(json, "margin"));
  HONE_TRY(v.confidence, get_number(json, "confidence"));
  if (v.first) return v;
  HONE_TRY(v.deployed_metric, get_number(json, "deployed_metric"));
  HONE_TRY(v.counts, counts_at(json));
  HONE_TRY(v.gain, get_number(json, "gain"));
  HONE_TRY(v.gain_bounds, interval_at(json, "gain_bounds"));
  HONE_TRY(v.mcnemar_p, get_number(json, "mcnemar_p"));
  if (json.contains("rows_needed") && !json["rows_needed"].is_null()) {
    HONE_TRY(v.rows_needed, get_int(json, "rows_needed"));
  }
  HONE_TRY(const Json* slices, slices_at(json));
  for (const Json& item : *slices) {
    SliceVerdict slice;
    HONE_TRY(slice.label, get_string(item, "label"));
    HONE_TRY(slice.counts, counts_at(item));
    HONE_TRY(slice.gain, interval_at(item, "gain_bounds"));
    HONE_TRY(slice.worse, get_bool(item, "worse"));
    v.slices.push_back(std::move(slice));
  }
  return v;
}

Json to_json(const GateRecord& record) {
  return {{"policy", to_json(record.policy)},
          {"deployed", record.deployed ? to_json(*record.deployed) : Json(nullptr)},
          {"candidate", to_json(record.candidate)},
          {"verdict", to_json(record.verdict)}};
}

Result<GateRecord> gate_record_from(const Json& json) {
  GateRecord record;
  HONE_TRY(const Json* policy, get_object(json, "policy"));
  HONE_TRY(record.policy, policy_from(*policy));
  HONE_TRY(const Json* candidate, get_object(json, "candidate"));
  HONE_TRY(record.candidate, candidate_from(*candidate));
  if (json.contains("deployed") && !json["deployed"].is_null()) {
    HONE_TRY(record.deployed, deployed_from(json["deployed"]));
  }
  HONE_TRY(const Json* verdict, get_object(json, "verdict"));
  HONE_TRY(record.verdict, verdict_from(*verdict));
  return record;
}

}  // namespace hone::cloud
