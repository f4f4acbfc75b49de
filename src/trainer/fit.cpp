#include "trainer/fit.hpp"

#include <ATen/Parallel.h>
#include <torch/optim/adamw.h>
#include <torch/torch.h>
#include <torch/utils.h>
#include <torch/version.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>
#include <utility>

#include "trainer/network.hpp"
#include "trainer/row_tensors.hpp"
#include "trainer/schedule.hpp"

namespace hone::trainer {
namespace {

constexpr std::int64_t kStepsPerReport = 10;
constexpr std::int64_t kValidationBatchRows = 512;
constexpr double kWeightDecay = 1e-2;
constexpr double kMultiplicationsPerThread = 4e6;

struct Tensors {
  torch::Tensor x;  // [rows, ...signal.shape] of the signal's dtype
  torch::Tensor y;  // [rows] int64
};

torch::Tensor indices(const std::vector<std::int64_t>& rows, torch::Device device) {
  return torch::tensor(rows, torch::kInt64).to(device);
}

double accuracy(const Network& network, const Tensors& data, const torch::Tensor& rows) {
  const torch::NoGradGuard no_gradient;
  std::int64_t right = 0;
  for (std::int64_t at = 0; at < rows.size(0); at += kValidationBatchRows) {
    const torch::Tensor pick = rows.slice(0, at, std::min(at + kValidationBatchRows, rows.size(0)));
    const torch::Tensor scores = network.forward(data.x.index_select(0, pick), false);
    right += scores.argmax(1).eq(data.y.index_select(0, pick)).sum().item<std::int64_t>();
  }
  return static_cast<double>(right) / static_cast<double>(rows.size(0));
}

// The one-standard-error rule (Breiman et al. 1984): with an annealed learning rate the last epoch
// is the best guess, so an earlier one is taken only when it was better by more than chance.
bool good_enough(double metric, double best_seen, std::int64_t validation_rows) {
  return metric >= best_seen - std::sqrt(best_seen * (1 - best_seen) / static_cast<double>(validation_rows));
}

// A core is worth waking only for a fair piece of work: below it, threads wait for one another for
// longer than they compute, and on a busy machine for very much longer.
int threads_for(const Plan& plan, const TrainRules& rules) {
  const double work = static_cast<double>(plan.multiplications()) * static_cast<double>(rules.batch_size);
  const double cores = std::max(1u, std::thread::hardware_concurrency());
  return static_cast<int>(std::clamp(work / kMultiplicationsPerThread, 1.0, cores));
}

void set_learning_rate(torch::optim::AdamW& optimizer, double learning_rate) {
  for (auto& group : optimizer.param_groups())
    static_cast<torch::optim::AdamWOptions&>(group.options()).lr(learning_rate);
}

Result<Fitted> fit_unguarded(const Plan& plan, const TrainRules& rules, const Rows& rows,
                             const std::optional<Weights>& start, std::uint64_t seed, const OnProgress& progress) {
  at::set_num_threads(threads_for(plan, rules));
  torch::manual_seed(seed);
  const torch::Device device = best_device();
  Network network(plan, device);
  if (start) HONE_CHECK(network.load(*start));

  const Tensors data{samples_tensor(rows, device), labels_tensor(rows, device)};
  const Split split = split_by_content(rows);
  const torch::Tensor fitted_rows = indices(split.fit, device);
  const torch::Tensor validation_rows = indices(split.validation, device);
  const Schedule schedule = schedule_for(rules, fitted_rows.size(0));
  torch::optim::AdamW optimizer(network.parameters(),
                                torch::optim::AdamWOptions(rules.learning_rate).weight_decay(kWeightDecay));

  Fitted result;
  result.device = device.is_cuda() ? "cuda" : "cpu";
  double best_seen = 0;
  wire::ProgressPoint point;
  for (std::int64_t epoch = 1; epoch <= schedule.epochs; ++epoch) {
    point.epoch = epoch;
    const torch::Tensor order = fitted_rows.index_select(0, torch::randperm(fitted_rows.size(0)).to(device));
    double loss_sum = 0;
    for (std::int64_t batch = 0; batch < schedule.steps_per_epoch; ++batch) {
      const std::int64_t from = batch * rules.batch_size;
      const torch::Tensor pick = order.slice(0, from, std::min(from + rules.batch_size, order.size(0)));
      set_learning_rate(optimizer, schedule.learning_rate(result.steps));
      optimizer.zero_grad();
      const torch::Tensor scores = network.forward(data.x.index_select(0, pick), true);
      const torch::Tensor loss = at::cross_entropy_loss(scores, data.y.index_select(0, pick));
      loss.backward();
      optimizer.step();
      ++result.steps;
      point.loss = loss.item<double>();
      loss_sum += point.loss;
      if (!std::isfinite(point.loss))
        return fail(Code::invalid, "the loss is no longer a number at step " + std::to_string(result.steps) +
                                       ": lower train.learning_rate");
      point.progress = static_cast<double>(result.steps) / static_cast<double>(schedule.steps());
      if (result.steps % kStepsPerReport == 0 && progress(point)) return fail(Code::cancelled, "training was stopped");
    }
    point.loss = loss_sum / static_cast<double>(schedule.steps_per_epoch);
    point.validation_metric = accuracy(network, data, validation_rows);
    result.curve.push_back(point);
    best_seen = std::max(best_seen, point.validation_metric);
    if (good_enough(point.validation_metric, best_seen, validation_rows.size(0))) {
      result.weights = network.weights();
      result.validation_metric = point.validation_metric;
      result.epoch = epoch;
    }
    if (progress(point)) return fail(Code::cancelled, "training was stopped");
  }
  return result;
}

}  // namespace

Result<Fitted> fit(const Plan& plan, const TrainRules& rules, const Rows& rows, const std::optional<Weights>& start,
                   std::uint64_t seed, const OnProgress& progress) {
  if (rows.rows() == 0) return fail(Code::invalid, "there is no labelled row to train on");
  if (!(rows.signal == plan.signal) || rows.x.size() != rows.rows() * plan.signal.sample_bytes())
    return fail(Code::invalid, "the rows do not fit the signal of the pipeline");
  for (const std::int64_t label : rows.y)
    if (label < 0 || label >= plan.width)
      return fail(Code::invalid, "a row has the label index " + std::to_string(label) + ", but there are " +
                                     std::to_string(plan.width) + " labels");
  if (rules.batch_size < 1 || rules.epochs < 1 || !(rules.learning_rate > 0))
    return fail(Code::invalid, "train: batch_size, epochs and learning_rate must be above zero");
  try {
    return fit_unguarded(plan, rules, rows, start, seed, progress);
  } catch (const c10::Error& error) {
    return fail(Code::unavailable, std::string("libtorch: ") + error.what_without_backtrace());
  } catch (const std::exception& error) {
    return fail(Code::unavailable, std::string("libtorch: ") + error.what());
  }
}

std::string libtorch_version() {
  return TORCH_VERSION;
}

}  // namespace hone::trainer
