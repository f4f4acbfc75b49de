// Where a fit of a network begins: `train.start`. From the deployed model's weights when they fit the
// recipe, from scratch, or from both, of which the better one on the validation rows is taken.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/json.hpp"
#include "base/result.hpp"
#include "trainer/fit.hpp"
#include "trainer/plan.hpp"
#include "trainer/recipe.hpp"
#include "trainer/weights.hpp"

namespace hone::trainer {

// One fit of one start; the plan carries the input scale that belongs to it.
using FitOnce =
    std::function<Result<Fitted>(const Plan& plan, const std::optional<Weights>& start, const OnProgress& progress)>;

struct Attempt {
  Plan plan;
  Fitted fitted;
  std::string base;               // hex of the model that the weights began from; empty: from scratch
  Json lineage = Json::object();  // how it began, and what became of the other start
};

// `plan` has the input scale that was learned from these rows, if the recipe has one; an attempt from the
// deployed model keeps that model's. Errors are those of `fit_once`.
[[nodiscard]] Result<Attempt> fit_from_start(const RecipeInput& input, const Plan& plan, const FitOnce& fit_once);

}  // namespace hone::trainer
