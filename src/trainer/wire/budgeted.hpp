// Joins training for the wire to a recipe: its free model becomes the second look, the small update the first.
#pragma once

#include <string>

#include "base/result.hpp"
#include "trainer/recipe.hpp"

namespace hone::trainer::wire_training {

// For the recipe's own training: where an update for the wire is to follow, it is only a part of the way.
// Borrows input.progress.
[[nodiscard]] OnProgress progress_before(const RecipeInput& input, const Plan& plan);

// Under `delivery.wire_budget`, and when `free` began from the deployed model, whose hash `base` is: trains for
// the wire. If an update keeps enough it takes the place of the free model in `output`, which becomes the fallback.
// output.lineage["wire"] says what was tried. Errors as in fit().
[[nodiscard]] Result<> keep_to_the_budget(const RecipeInput& input, const Plan& plan, const Fitted& free, const std::string& base,
                                          RecipeOutput& output);

}  // namespace hone::trainer::wire_training
