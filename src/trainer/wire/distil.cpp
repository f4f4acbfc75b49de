#include "trainer/wire/distil.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/optim/adam.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "trainer/learn/freed_memory.hpp"
#include "trainer/learn/training_data.hpp"
#include "trainer/libtorch_wall.hpp"
#include "trainer/network.hpp"
#include "trainer/row_tensors.hpp"
#include "trainer/schedule.hpp"
#include "trainer/threads.hpp"
#include "trainer/wire/parts.hpp"
#include "trainer/wire/pressure.hpp"
#include "trainer/wire/student.hpp"

namespace hone::trainer::wire_training {
namespace {

constexpr std::int64_t kStepsPerReport = 10;
constexpr std::int64_t kStepsPerCount = 5;  // of the bits, at most
constexpr std::int64_t kCountsMin = 256;    // in a training, so that the price of a bit is found
constexpr std::int64_t kStepsMin = 500;     // in a training: small sets are passed over more often
constexpr std::int64_t kBatchRows = 512;    // where no gradient is wanted
constexpr double kTemperature = 1.5;        // Hinton et al. 2015
constexpr double kOfTeacher = 0.7;          // of the loss; the rest is the labels'
constexpr double kLearningRate = 0.1;       // at its peak, in integers a step, where steps are coarse
constexpr double kLooks[] = {0, 0.25, 0.45, 0.65, 0.85};  // parts of the training after which the real coder corrects the estimate
constexpr double kSpare = 0.01;             // of the budget, for what the estimate of bits misses
constexpr int kSqueezes = 8;                // rounds after the training, at most
constexpr std::int64_t kSqueezeShare = 20;  // of the training's steps
constexpr std::int64_t kSqueezeStepsMin = 20;
constexpr double kSqueezeRate = 0.1;        // of the learning rate's peak

at::Tensor scores_of(const Network& network, const at::Tensor& x) {
  const at::NoGradGuard no_gradient;
  std::vector<at::Tensor> parts;
  for (std::int64_t at = 0; at < x.size(0); at += kBatchRows)
    parts.push_back(network.forward(x.slice(0, at, std::min(at + kBatchRows, x.size(0))), false));
  return at::cat(parts);
}

// From the labels, and from how sure the teacher is of every other answer.
at::Tensor loss_of(const at::Tensor& scores, const at::Tensor& labels, const at::Tensor& wisdom) {
  const at::Tensor taught = at::kl_div(at::log_softmax(scores / kTemperature, 1), at::softmax(wisdom / kTemperature, 1),
                                          at::Reduction::Sum) * (kTemperature * kTemperature / static_cast<double>(scores.size(0)));
  return kOfTeacher * taught + (1 - kOfTeacher) * at::cross_entropy_loss(scores, labels);
}

}  // namespace

class Distiller::Session {
 public:
  Session(const Distillation& task, Measure measure, OnProgress progress)
      : task_(task),
        measure_(std::move(measure)),
        progress_(std::move(progress)),
        device_(best_device()) {}

  Result<double> deployed_metric() {
    HONE_CHECK(prepare());
    return accuracy(task_.deployed);
  }

  Result<Distilled> under(std::uint64_t bytes) {
    HONE_CHECK(prepare());
    HONE_TRY(const std::uint64_t least, measure_(nothing()));
    if (least >= bytes)
      return fail(Code::no_space, "an update that changes nothing already takes " + std::to_string(least) +
                                      " bytes, and the budget is " + std::to_string(bytes));
    const std::vector<Part> parts = parts_for(task_.plan, bytes - least);
    Student student(task_.deployed, task_.teacher, parts, device_);
    HONE_TRY(const std::int64_t steps, train(student, least, bytes));
    HONE_TRY(Distilled best, fitted_into(student, least, bytes));
    best.steps = steps;
    return best;
  }

 private:
  Update nothing() const {
    Update update;
    for (const Tensor& tensor : task_.deployed) update.push_back({tensor.name});
    return update;
  }

  Result<> prepare() {
    if (wisdom_.defined()) return {};
    keep_freed_memory();
    at::set_num_threads(
        threads_for(static_cast<double>(task_.plan.multiplications()) * static_cast<double>(task_.rules.batch_size)));
    data_ = training_data(task_.rows, device_);
    learner_.emplace(task_.plan, device_);
    judge_.emplace(task_.plan, device_);
    HONE_CHECK(judge_->load(task_.teacher));
    wisdom_ = scores_of(*judge_, data_.x);
    return {};
  }

  // `least` is what an update takes that changes nothing. Returns the steps taken.
  Result<std::int64_t> train(Student& student, std::uint64_t least, std::uint64_t budget) {
    at::manual_seed(task_.seed);
    Schedule schedule = schedule_for(task_.rules, data_.fit.size(0));
    schedule.epochs = std::max(schedule.epochs, (kStepsMin + schedule.steps_per_epoch - 1) / schedule.steps_per_epoch);
    Lesson lesson(*this, student, least, budget, schedule);
    std::size_t looks = 0;
    for (std::int64_t step = 0; step < schedule.steps(); ++step) {
      const double done = static_cast<double>(step) / static_cast<double>(schedule.steps());
      if (looks < std::size(kLooks) && done >= kLooks[looks]) {
        ++looks;
        HONE_CHECK(lesson.look());
      }
      HONE_CHECK(lesson.step(schedule.learning_rate(step) / schedule.peak, done));
    }
    // Still too much: a little more of it, with more pressure each time, so that the network can make up for what it loses.
    HONE_CHECK(lesson.look());
    for (int round = 0; round < kSqueezes && lesson.taken() > budget; ++round) {
      lesson.tighten();
      for (std::int64_t step = 0; step < std::max<std::int64_t>(kSqueezeStepsMin, schedule.steps() / kSqueezeShare); ++step)
        HONE_CHECK(lesson.step(kSqueezeRate, 1));
      HONE_CHECK(lesson.look());
    }
    return lesson.steps();
  }

  // What the real coder still finds too much is taken from the numbers nearest to zero. That costs: pressure gathers all
  // numbers that are hardly worth their bits there, and some of them are needed. Hence the squeezes before.
  Result<Distilled> fitted_into(const Student& student, std::uint64_t least, std::uint64_t budget) {
    constexpr int kHalvings = 6;
    constexpr double kDeadZoneMax = 64;
    Distilled best;
    double fits = kDeadZoneMax;
    double misses = 0.5;
    best.update = nothing();
    best.bytes = least;
    for (double dead_zone = 0.5; dead_zone < kDeadZoneMax; dead_zone *= 1.25) {
      HONE_TRY(const bool held, keep(student, dead_zone, budget, best));
      if (held) {
        fits = dead_zone;
        break;
      }
      misses = dead_zone;
    }
    for (int i = 0; i < kHalvings && fits > 0.5; ++i) {
      const double dead_zone = (fits + misses) / 2;
      HONE_TRY(const bool held, keep(student, dead_zone, budget, best));
      (held ? fits : misses) = dead_zone;
    }
    HONE_TRY(const Weights rebuilt, rebuild(task_.deployed, best.update));
    HONE_TRY(best.validation_metric, accuracy(rebuilt));
    return best;
  }

  Result<bool> keep(const Student& student, double dead_zone, std::uint64_t budget, Distilled& best) {
    Update update = student.update(dead_zone);
    HONE_TRY(const std::uint64_t bytes, measure_(update));
    if (bytes > budget) return false;
    best.update = std::move(update);
    best.bytes = bytes;
    return true;
  }

  Result<double> accuracy(const Weights& weights) {
    HONE_CHECK(judge_->load(weights));
    const at::Tensor scores = scores_of(*judge_, data_.x.index_select(0, data_.validation));
    return scores.argmax(1).eq(data_.y.index_select(0, data_.validation)).to(at::kDouble).mean().item<double>();
  }

  // One training of a student under one budget.
  class Lesson {
   public:
    Lesson(Session& session, Student& student, std::uint64_t least, std::uint64_t budget, const Schedule& schedule)
        : session_(session),
          student_(student),
          latents_(student.latents()),
          schedule_(schedule),
          steps_per_count_(std::clamp<std::int64_t>(schedule.steps() / kCountsMin, 1, kStepsPerCount)),
          least_(least),
          pressure_(student.count_bits(), static_cast<double>(budget - least) * 8 * (1 - kSpare)),
          optimizer_(groups(latents_), torch::optim::AdamOptions(kLearningRate).betas({0.9, 0.99})) {}

    // What the real coder takes; from now on the estimate of bits is corrected by what it missed.
    Result<> look() {
      HONE_TRY(taken_, session_.measure_(student_.update()));
      unforeseen_ = static_cast<double>(taken_ - std::min(taken_, least_)) * 8 - student_.count_bits();
      return {};
    }
    void tighten() { pressure_.tighten(); }

    // `rate`: the learning rate's share of its peak; `done`: the share of the training that is over.
    Result<> step(double rate, double done) {
      for (std::size_t i = 0; i < latents_.size(); ++i)
        static_cast<torch::optim::AdamOptions&>(optimizer_.param_groups()[i].options()).lr(kLearningRate * rate * latents_[i].haste);
      optimizer_.zero_grad();
      const at::Tensor pick = next_batch();
      const TrainingData& data = session_.data_;
      session_.learner_->use(student_.weights());
      const at::Tensor loss = loss_of(session_.learner_->forward(data.x.index_select(0, pick), true), data.y.index_select(0, pick),
                                      session_.wisdom_.index_select(0, pick));
      loss.backward();
      if (steps_ % steps_per_count_ == 0) lambda_ = pressure_.next(student_.count_bits() + unforeseen_, done);
      student_.add_slope(lambda_);
      optimizer_.step();
      ++steps_;
      return steps_ % kStepsPerReport == 0 ? report(loss.item<double>(), done) : Result<>{};
    }

    [[nodiscard]] std::uint64_t taken() const { return taken_; }
    [[nodiscard]] std::int64_t steps() const { return steps_; }

   private:
    static std::vector<torch::optim::OptimizerParamGroup> groups(const std::vector<Student::Trained>& latents) {
      std::vector<torch::optim::OptimizerParamGroup> result;
      for (const Student::Trained& latent : latents) result.emplace_back(std::vector<at::Tensor>{latent.z});
      return result;
    }

    at::Tensor next_batch() {
      const at::Tensor& fit = session_.data_.fit;
      const std::int64_t batch = steps_ % schedule_.steps_per_epoch;
      if (batch == 0) order_ = fit.index_select(0, at::randperm(fit.size(0)).to(session_.device_));
      const std::int64_t from = batch * session_.task_.rules.batch_size;
      return order_.slice(0, from, std::min(from + session_.task_.rules.batch_size, order_.size(0)));
    }

    Result<> report(double loss, double done) const {
      if (!std::isfinite(loss)) return fail(Code::invalid, "the loss of the update for the wire is no longer a number");
      wire::ProgressPoint point;
      point.epoch = 1 + (steps_ - 1) / schedule_.steps_per_epoch;
      point.loss = loss;
      point.progress = done;
      if (session_.progress_(point)) return fail(Code::cancelled, "training was stopped");
      return {};
    }

    Session& session_;
    Student& student_;
    const std::vector<Student::Trained> latents_;
    const Schedule schedule_;
    const std::int64_t steps_per_count_;
    const std::uint64_t least_;
    Pressure pressure_;
    torch::optim::Adam optimizer_;
    at::Tensor order_;
    std::int64_t steps_ = 0;
    std::uint64_t taken_ = 0;
    double unforeseen_ = 0;  // bits
    double lambda_ = 0;
  };

  const Distillation task_;
  const Measure measure_;
  const OnProgress progress_;
  const at::Device device_;
  std::optional<Network> learner_;  // runs with the student's weights
  std::optional<Network> judge_;    // with whole ones
  TrainingData data_;
  at::Tensor wisdom_;  // the teacher's scores of all rows, [rows, width]
};

Distiller::Distiller(const Distillation& task, Measure measure, OnProgress progress)
    : session_(std::make_unique<Session>(task, std::move(measure), std::move(progress))) {}
Distiller::~Distiller() = default;

Result<double> Distiller::deployed_metric() {
  return behind_wall([&] { return session_->deployed_metric(); });
}

Result<Distilled> Distiller::under(std::uint64_t bytes) {
  return behind_wall([&] { return session_->under(bytes); });
}

}  // namespace hone::trainer::wire_training
