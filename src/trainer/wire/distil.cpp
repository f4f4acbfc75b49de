#include "trainer/wire/distil.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
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
#include "trainer/wire/lesson.hpp"
#include "trainer/wire/parts.hpp"
#include "trainer/wire/student.hpp"

namespace hone::trainer::wire_training {
namespace {

constexpr std::int64_t kStepsMin = 500;   // in a lesson: small sets are passed over more often
constexpr std::int64_t kBatchRows = 512;  // where no gradient is wanted

at::Tensor scores_of(const Network& network, const at::Tensor& x) {
  const at::NoGradGuard no_gradient;
  std::vector<at::Tensor> parts;
  for (std::int64_t at = 0; at < x.size(0); at += kBatchRows)
    parts.push_back(network.forward(x.slice(0, at, std::min(at + kBatchRows, x.size(0))), false));
  return at::cat(parts);
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
    HONE_TRY(const std::int64_t steps, teach(student, least, bytes));
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
  Result<std::int64_t> teach(Student& student, std::uint64_t least, std::uint64_t budget) {
    at::manual_seed(task_.seed);
    Schedule schedule = schedule_for(task_.rules, data_.fit.size(0));
    schedule.epochs = std::max(schedule.epochs, (kStepsMin + schedule.steps_per_epoch - 1) / schedule.steps_per_epoch);
    const Classroom room{*learner_, data_, wisdom_, task_.rules.batch_size, schedule};
    return lesson(room, student, {least, budget}, measure_, progress_);
  }

  // What the real coder still finds too much is taken from the numbers nearest to zero. That costs: pressure gathers all
  // numbers that are hardly worth their bits there, and some of them are needed. Hence the squeezes at a lesson's end.
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
