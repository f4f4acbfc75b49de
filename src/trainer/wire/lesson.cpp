#include "trainer/wire/lesson.hpp"

#include <ATen/ATen.h>
#include <torch/optim/adam.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "trainer/wire/pressure.hpp"

namespace hone::trainer::wire_training {
namespace {

constexpr std::int64_t kStepsPerReport = 10;
constexpr std::int64_t kStepsPerCount = 5;  // of the bits, at most
constexpr std::int64_t kCountsMin = 256;    // in a lesson, so that the price of a bit is found
constexpr double kTemperature = 1.5;        // Hinton et al. 2015
constexpr double kOfTeacher = 0.7;          // of the loss; the rest is the labels'
constexpr double kLearningRate = 0.1;       // at its peak, in integers a step, where steps are coarse
constexpr double kLooks[] = {0, 0.25, 0.45, 0.65, 0.85};  // parts of the lesson after which the real coder corrects the estimate
constexpr double kSpare = 0.01;             // of the budget, for what the estimate of bits misses
constexpr int kSqueezes = 8;                // rounds at the end, at most
constexpr std::int64_t kSqueezeShare = 20;  // of the lesson's steps
constexpr std::int64_t kSqueezeStepsMin = 20;
constexpr double kSqueezeRate = 0.1;        // of the learning rate's peak

// From the labels, and from how sure the teacher is of every other answer.
at::Tensor loss_of(const at::Tensor& scores, const at::Tensor& labels, const at::Tensor& wisdom) {
  const at::Tensor taught = at::kl_div(at::log_softmax(scores / kTemperature, 1), at::softmax(wisdom / kTemperature, 1),
                                          at::Reduction::Sum) * (kTemperature * kTemperature / static_cast<double>(scores.size(0)));
  return kOfTeacher * taught + (1 - kOfTeacher) * at::cross_entropy_loss(scores, labels);
}

class Lesson {
 public:
  Lesson(const Classroom& room, Student& student, const Allowance& allowance, const Measure& measure, const OnProgress& progress)
      : room_(room),
        student_(student),
        allowance_(allowance),
        measure_(measure),
        progress_(progress),
        latents_(student.latents()),
        steps_per_count_(std::clamp<std::int64_t>(room.schedule.steps() / kCountsMin, 1, kStepsPerCount)),
        pressure_(student.count_bits(), static_cast<double>(allowance.budget - allowance.least) * 8 * (1 - kSpare)),
        optimizer_(groups(latents_), torch::optim::AdamOptions(kLearningRate).betas({0.9, 0.99})) {}

  Result<std::int64_t> give() {
    HONE_CHECK(go_through());
    HONE_CHECK(squeeze());
    return steps_;
  }

 private:
  Result<> go_through() {
    const Schedule& schedule = room_.schedule;
    std::size_t looks = 0;
    for (std::int64_t step = 0; step < schedule.steps(); ++step) {
      const double done = static_cast<double>(step) / static_cast<double>(schedule.steps());
      if (looks < std::size(kLooks) && done >= kLooks[looks]) {
        ++looks;
        HONE_CHECK(look());
      }
      HONE_CHECK(take_step(schedule.learning_rate(step) / schedule.peak, done));
    }
    return look();
  }

  // Still too much: a little more of it, with more pressure each time, so that the network can make up for what it loses.
  Result<> squeeze() {
    const std::int64_t steps = std::max<std::int64_t>(kSqueezeStepsMin, room_.schedule.steps() / kSqueezeShare);
    for (int round = 0; round < kSqueezes && taken_ > allowance_.budget; ++round) {
      pressure_.tighten();
      for (std::int64_t step = 0; step < steps; ++step) HONE_CHECK(take_step(kSqueezeRate, 1));
      HONE_CHECK(look());
    }
    return {};
  }

  // What the real coder takes; from now on the estimate of bits is corrected by what it missed.
  Result<> look() {
    HONE_TRY(taken_, measure_(student_.update()));
    unforeseen_ = static_cast<double>(taken_ - std::min(taken_, allowance_.least)) * 8 - student_.count_bits();
    return {};
  }

  // `rate`: the learning rate's share of its peak; `done`: the share of the lesson that is over.
  Result<> take_step(double rate, double done) {
    for (std::size_t i = 0; i < latents_.size(); ++i)
      static_cast<torch::optim::AdamOptions&>(optimizer_.param_groups()[i].options()).lr(kLearningRate * rate * latents_[i].haste);
    optimizer_.zero_grad();
    const at::Tensor pick = next_batch();
    room_.learner.use(student_.weights());
    const at::Tensor scores = room_.learner.forward(room_.data.x.index_select(0, pick), true);
    const at::Tensor loss = loss_of(scores, room_.data.y.index_select(0, pick), room_.wisdom.index_select(0, pick));
    loss.backward();
    if (steps_ % steps_per_count_ == 0) lambda_ = pressure_.next(student_.count_bits() + unforeseen_, done);
    student_.add_slope(lambda_);
    optimizer_.step();
    ++steps_;
    return steps_ % kStepsPerReport == 0 ? report(loss.item<double>(), done) : Result<>{};
  }

  at::Tensor next_batch() {
    const at::Tensor& fit = room_.data.fit;
    const std::int64_t batch = steps_ % room_.schedule.steps_per_epoch;
    if (batch == 0) order_ = fit.index_select(0, at::randperm(fit.size(0)).to(fit.device()));
    const std::int64_t from = batch * room_.batch_rows;
    return order_.slice(0, from, std::min(from + room_.batch_rows, order_.size(0)));
  }

  Result<> report(double loss, double done) const {
    if (!std::isfinite(loss)) return fail(Code::invalid, "the loss of the update for the wire is no longer a number");
    wire::ProgressPoint point;
    point.epoch = 1 + (steps_ - 1) / room_.schedule.steps_per_epoch;
    point.loss = loss;
    point.progress = done;
    if (progress_(point)) return fail(Code::cancelled, "training was stopped");
    return {};
  }

  static std::vector<torch::optim::OptimizerParamGroup> groups(const std::vector<Student::Trained>& latents) {
    std::vector<torch::optim::OptimizerParamGroup> result;
    for (const Student::Trained& latent : latents) result.emplace_back(std::vector<at::Tensor>{latent.z});
    return result;
  }

  const Classroom& room_;
  Student& student_;
  const Allowance allowance_;
  const Measure& measure_;
  const OnProgress& progress_;
  const std::vector<Student::Trained> latents_;
  const std::int64_t steps_per_count_;
  Pressure pressure_;
  torch::optim::Adam optimizer_;
  at::Tensor order_;  // of the rows, in this epoch
  std::int64_t steps_ = 0;
  std::uint64_t taken_ = 0;
  double unforeseen_ = 0;  // bits
  double lambda_ = 0;
};

}  // namespace

Result<std::int64_t> lesson(const Classroom& room, Student& student, const Allowance& allowance, const Measure& measure,
                            const OnProgress& progress) {
  return Lesson(room, student, allowance, measure, progress).give();
}

}  // namespace hone::trainer::wire_training
