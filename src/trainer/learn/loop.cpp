#include "trainer/learn/loop.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/randperm.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "trainer/learn/adamw.hpp"
#include "trainer/schedule.hpp"

namespace hone::trainer {
namespace {

constexpr std::int64_t kStepsPerReport = 10;

// Losses stay on the device until somebody asks: to look at one waits for all that was queued.
class Losses {
 public:
  void add(const at::Tensor& loss) {
    last_ = loss.detach();
    sum_ = sum_.defined() ? sum_ + last_ : last_.to(at::kDouble);
    ++count_;
  }
  [[nodiscard]] double last() const { return last_.item<double>(); }
  [[nodiscard]] double mean() const { return sum_.item<double>() / static_cast<double>(count_); }

 private:
  at::Tensor last_, sum_;
  std::int64_t count_ = 0;
};

class Loop {
 public:
  Loop(Network& network, const Objective& objective, const at::Tensor& fit, const TrainRules& rules,
       const OnProgress& progress)
      : network_(network),
        objective_(objective),
        fit_(fit),
        rules_(rules),
        progress_(progress),
        schedule_(schedule_for(rules, fit.size(0))),
        optimizer_(network.parameters()) {}

  Result<Fitted> run() {
    for (point_.epoch = 1; point_.epoch <= schedule_.epochs; ++point_.epoch) {
      HONE_CHECK(run_epoch());
      const Validation validation = objective_.validate(network_);
      point_.validation_metric = validation.metric;
      result_.curve.push_back(point_);
      keep(validation);
      const bool tired = rules_.patience > 0 && point_.epoch - best_.epoch >= rules_.patience;
      if (tired && point_.epoch < schedule_.epochs) {
        take(best_);
        point_.progress = 1;
      }
      if (progress_(point_)) return cancelled();
      if (tired) break;
    }
    return std::move(result_);
  }

 private:
  static tl::unexpected<Error> cancelled() { return fail(Code::cancelled, "training was stopped"); }

  Result<> run_epoch() {
    const at::Tensor order = fit_.index_select(0, at::randperm(fit_.size(0)).to(fit_.device()));
    Losses losses;
    for (std::int64_t batch = 0; batch < schedule_.steps_per_epoch; ++batch) {
      const std::int64_t from = batch * rules_.batch_size;
      losses.add(step(order.slice(0, from, std::min(from + rules_.batch_size, order.size(0)))));
      point_.progress = static_cast<double>(result_.steps) / static_cast<double>(schedule_.steps());
      if (result_.steps % kStepsPerReport != 0) continue;
      point_.loss = losses.last();
      HONE_CHECK(check(losses.mean()));
      if (progress_(point_)) return cancelled();
    }
    point_.loss = losses.mean();
    return check(point_.loss);
  }

  at::Tensor step(const at::Tensor& pick) {
    optimizer_.zero_gradients();
    const at::Tensor loss = objective_.loss(network_, pick);
    loss.backward();
    optimizer_.step(schedule_.learning_rate(result_.steps++));
    return loss;
  }

  Result<> check(double loss) const {
    if (std::isfinite(loss)) return {};
    return fail(Code::invalid, "the loss is no longer a number at step " + std::to_string(result_.steps) +
                                   ": lower train.learning_rate");
  }

  struct Epoch {
    std::int64_t epoch = 0;
    Validation validation;
    Weights weights;
  };

  // The one-standard-error rule (Breiman et al. 1984): with an annealed learning rate the last epoch
  // is the best guess, so an earlier one is taken only when it was better by more than chance.
  void keep(const Validation& validation) {
    Epoch now{point_.epoch, validation, {}};
    const Validation& best = best_.validation;
    const bool better = now.epoch == 1 || validation.metric > best.metric;
    const bool good = better || validation.metric >= best.metric - best.standard_error;
    if (!good) return;
    now.weights = network_.weights();
    take(now);
    if (better) best_ = std::move(now);
  }

  // Stopped early, the learning rate has not come down: then the best epoch is taken, and no later one.
  void take(const Epoch& epoch) {
    result_.weights = epoch.weights;
    result_.validation_metric = epoch.validation.metric;
    result_.epoch = epoch.epoch;
  }

  Network& network_;
  const Objective& objective_;
  const at::Tensor& fit_;
  const TrainRules& rules_;
  const OnProgress& progress_;
  const Schedule schedule_;
  AdamW optimizer_;
  wire::ProgressPoint point_;
  Epoch best_;
  Fitted result_;
};

}  // namespace

Result<Fitted> run_loop(Network& network, const Objective& objective, const at::Tensor& fit,
                        const TrainRules& rules, const OnProgress& progress) {
  return Loop(network, objective, fit, rules, progress).run();
}

}  // namespace hone::trainer
