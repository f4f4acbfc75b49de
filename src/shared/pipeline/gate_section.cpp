// [gate]: the metric, and what a candidate must reach in it.
#include <algorithm>
#include <vector>

#include "shared/pipeline/sections.hpp"

namespace hone {
namespace {

constexpr double kScoreMax = 1e12;

// The metrics that can measure what a recipe learns, the default first.
std::vector<Metric> metrics_for(const Pipeline& pipeline) {
  switch (pipeline.train.recipe) {
    case Recipe::cnn:
    case Recipe::mlp: return {Metric::accuracy, Metric::f1, Metric::auc};
    case Recipe::autoencoder: return {Metric::reconstruction, Metric::auc};
    case Recipe::kmeans: return {Metric::silhouette};
    case Recipe::command:
      if (pipeline.signal.labels.empty()) return {Metric::score};
      if (pipeline.train.command.eval.empty()) return {Metric::accuracy, Metric::f1, Metric::auc, Metric::score};
      return {Metric::score, Metric::accuracy, Metric::f1, Metric::auc};
  }
  return {};
}

// What is wrong with the metric for this pipeline, or nothing.
std::string misfit(Metric metric, const std::vector<Metric>& fitting, const Pipeline& pipeline) {
  if (std::find(fitting.begin(), fitting.end(), metric) == fitting.end())
    return "does not measure what the recipe '" + std::string(name_of(pipeline.train.recipe)) + "' learns; use '" +
           std::string(name_of(fitting.front())) + "'";
  if (metric == Metric::auc && pipeline.signal.labels.size() != 2)
    return "is \"auc\", which compares exactly 2 labels" + std::string(pipeline.train.recipe == Recipe::autoencoder
                                                                           ? ": name them in signal.labels"
                                                                           : "; use \"f1\" or \"accuracy\" for more");
  if (metric == Metric::score && pipeline.train.command.eval.empty())
    return "is \"score\", which a program of yours measures: name it in train.eval";
  return {};
}

}  // namespace

void read_gate(TomlSection section, const Pipeline& pipeline, GateRules& gate) {
  section.require("goal");
  const std::vector<Metric> fitting = metrics_for(pipeline);
  gate.metric = static_cast<Metric>(section.choice("metric", static_cast<int>(fitting.front()),
                                                   {{"accuracy", static_cast<int>(Metric::accuracy)},
                                                    {"f1", static_cast<int>(Metric::f1)},
                                                    {"auc", static_cast<int>(Metric::auc)},
                                                    {"silhouette", static_cast<int>(Metric::silhouette)},
                                                    {"score", static_cast<int>(Metric::score)},
                                                    {"reconstruction", static_cast<int>(Metric::reconstruction)}}));
  if (section.failed()) return;
  if (const std::string problem = misfit(gate.metric, fitting, pipeline); !problem.empty())
    return section.fail_at("metric", problem);
  const double best = gate.metric == Metric::score ? kScoreMax : 1;
  const double worst = gate.metric == Metric::score ? -kScoreMax : 0;
  section.number("goal", gate.goal, worst, best);
  gate.first_goal = gate.goal;
  section.number("first_goal", gate.first_goal, worst, best);
  section.number("margin", gate.margin, 0, best / 2);
  section.number("confidence", gate.confidence, 0.5, 0.999999);
  section.number("holdout", gate.holdout, 0.01, 0.9);
  section.number("no_slice_worse_than", gate.no_slice_worse_than, 0, best);
}

}  // namespace hone
