// The line by which a command tells how far it is:
//
//   progress 0.3 epoch 2 loss 0.11 metric 0.95
//
// The share that is done (0 to 1), then pairs of a word and a number in any order: `epoch`, `loss`, `metric` (on
// validation rows). Pairs may be left out, and other words are ignored.
#pragma once

#include <optional>
#include <string_view>

#include "shared/wire/messages.hpp"

namespace hone::trainer {

// nullopt: an ordinary line, for the log. What the line does not say is as in `last`.
[[nodiscard]] std::optional<wire::ProgressPoint> progress_from(std::string_view line, const wire::ProgressPoint& last);

}  // namespace hone::trainer
