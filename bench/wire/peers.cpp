#include "peers.hpp"

#include <ATen/ATen.h>
#include <torch/optim/adamw.h>
#include <torch/torch.h>
#include <torch/utils.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "shared/delta/format/lattice.hpp"
#include "trainer/network.hpp"
#include "trainer/row_tensors.hpp"
#include "trainer/schedule.hpp"

namespace hone::bench {
namespace {

using trainer::Network;
using trainer::Weights;

constexpr double kWeightDecay = 1e-2;  // as in free training
constexpr std::int64_t kBatchRows = 512;

class Run {
 public:
  explicit Run(const PeerTask& task) : task_(task), network_(task.plan, torch::kCPU) {
    x_ = trainer::samples_tensor(task.rows, torch::kCPU);
    y_ = trainer::labels_tensor(task.rows, torch::kCPU);
    const trainer::Split split = trainer::split_by_content(task.rows);
    fit_ = torch::tensor(split.fit, torch::kInt64);
    validation_ = torch::tensor(split.validation, torch::kInt64);
    schedule_ = trainer::schedule_for(task.rules, fit_.size(0));
  }

  Network& network() { return network_; }
  [[nodiscard]] const trainer::Schedule& schedule() const { return schedule_; }
  [[nodiscard]] Result<> load(const Weights& weights) { return network_.load(weights); }

  // One pass at most `steps` long, from the schedule's step `first` on.
  void pass(torch::optim::AdamW& optimizer, std::int64_t first, std::int64_t steps, const std::function<void()>& before_step) {
    const torch::Tensor order = fit_.index_select(0, torch::randperm(fit_.size(0)));
    for (std::int64_t step = 0; step < std::min(steps, schedule_.steps_per_epoch); ++step) {
      const std::int64_t from = step * task_.rules.batch_size;
      const torch::Tensor pick = order.slice(0, from, std::min(from + task_.rules.batch_size, order.size(0)));
      for (auto& group : optimizer.param_groups())
        static_cast<torch::optim::AdamWOptions&>(group.options()).lr(schedule_.learning_rate(first + step));
      optimizer.zero_grad();
      at::cross_entropy_loss(network_.forward(x_.index_select(0, pick), true), y_.index_select(0, pick)).backward();
      if (before_step) before_step();
      optimizer.step();
    }
  }

  double accuracy() const {
    const torch::NoGradGuard no_gradient;
    std::int64_t right = 0;
    for (std::int64_t at = 0; at < validation_.size(0); at += kBatchRows) {
      const torch::Tensor pick = validation_.slice(0, at, std::min(at + kBatchRows, validation_.size(0)));
      right += network_.forward(x_.index_select(0, pick), false).argmax(1).eq(y_.index_select(0, pick)).sum().item<std::int64_t>();
    }
    return static_cast<double>(right) / static_cast<double>(validation_.size(0));
  }

 private:
  const PeerTask& task_;
  Network network_;
  torch::Tensor x_, y_, fit_, validation_;
  trainer::Schedule schedule_;
};

double entropy_bits(double count, double set) {
  if (set <= 0 || set >= count) return 0;
  const double p = set / count;
  return -count * (p * std::log2(p) + (1 - p) * std::log2(1 - p));
}

// The coordinates of which |change| is among the `share` largest of all tensors.
std::vector<torch::Tensor> largest(const std::vector<torch::Tensor>& changes, double share) {
  std::vector<torch::Tensor> flat;
  for (const torch::Tensor& change : changes) flat.push_back(change.abs().flatten());
  const torch::Tensor all = at::cat(flat);
  const auto kept = std::max<std::int64_t>(1, static_cast<std::int64_t>(share * static_cast<double>(all.numel())));
  const torch::Tensor threshold = std::get<0>(all.topk(kept)).min();
  std::vector<torch::Tensor> masks;
  for (const torch::Tensor& change : changes) masks.push_back(change.abs().ge(threshold).to(torch::kFloat32));
  return masks;
}

// Golomb's code for gaps between positions that are set with probability p (Golomb 1966; the parameter of
// Sattler et al., eq. 11): unary quotient, fixed remainder.
double golomb_bits(const torch::Tensor& mask, double share) {
  const double golden = (std::sqrt(5.0) + 1) / 2;
  const int remainder_bits = std::max(0, 1 + static_cast<int>(std::floor(std::log2(std::log(golden - 1) / std::log(1 - share)))));
  const torch::Tensor places = mask.flatten().nonzero().flatten().contiguous();
  double bits = 0;
  std::int64_t before = -1;
  for (std::int64_t i = 0; i < places.numel(); ++i) {
    const std::int64_t at = places.data_ptr<std::int64_t>()[i];
    bits += static_cast<double>(((at - before - 1) >> remainder_bits) + 1 + remainder_bits);
    before = at;
  }
  return bits;
}

std::vector<torch::Tensor> copies(const std::vector<torch::Tensor>& tensors) {
  std::vector<torch::Tensor> result;
  for (const torch::Tensor& tensor : tensors) result.push_back(tensor.detach().clone());
  return result;
}

// Where the first pass would move the weights: the difference it makes, as AMS takes Adam's update.
std::vector<torch::Tensor> first_pass(Run& run) {
  const std::vector<torch::Tensor> before = copies(run.network().parameters());
  torch::optim::AdamW optimizer(run.network().parameters(), torch::optim::AdamWOptions(1e-3).weight_decay(0));
  run.pass(optimizer, run.schedule().steps_warmup, run.schedule().steps_per_epoch / 2, {});
  std::vector<torch::Tensor> changes;
  const auto after = run.network().parameters();
  for (std::size_t i = 0; i < after.size(); ++i) changes.push_back(after[i].detach() - before[i]);
  return changes;
}

Result<PeerUpdate> adaptive_streaming_unguarded(const PeerTask& task) {
  constexpr double kShare = 0.05;
  torch::manual_seed(task.seed);
  Run run(task);
  HONE_CHECK(run.load(task.deployed));
  const std::vector<torch::Tensor> masks = largest(first_pass(run), kShare);
  HONE_CHECK(run.load(task.deployed));
  const std::vector<torch::Tensor> before = copies(run.network().parameters());
  torch::optim::AdamW optimizer(run.network().parameters(), torch::optim::AdamWOptions(task.rules.learning_rate).weight_decay(0));
  const auto only_chosen = [&] {
    auto parameters = run.network().parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i].mutable_grad().mul_(masks[i]);
  };
  for (std::int64_t epoch = 0; epoch < run.schedule().epochs; ++epoch)
    run.pass(optimizer, epoch * run.schedule().steps_per_epoch, run.schedule().steps_per_epoch, only_chosen);

  const torch::NoGradGuard no_gradient;
  double all = 0;
  double set = 0;
  auto parameters = run.network().parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const torch::Tensor change = (parameters[i] - before[i]).to(torch::kFloat16).to(torch::kFloat32);
    parameters[i].copy_(before[i] + change);
    all += static_cast<double>(masks[i].numel());
    set += masks[i].sum().item<double>();
  }
  constexpr double kValueBits = 16;
  return PeerUpdate{run.network().weights(), static_cast<std::uint64_t>(std::ceil((entropy_bits(all, set) + set * kValueBits) / 8)),
                    run.accuracy()};
}

Result<PeerUpdate> sparse_ternary_unguarded(const PeerTask& task, double bytes_wanted) {
  constexpr double kMoveBits = 9.5;  // a position and a sign
  constexpr double kSizeBits = 32;  // of one tensor's moves
  torch::manual_seed(task.seed);
  Run run(task);
  HONE_CHECK(run.load(task.deployed));
  std::vector<torch::Tensor> kept_back;
  for (const torch::Tensor& parameter : run.network().parameters()) kept_back.push_back(torch::zeros_like(parameter.detach()));
  const double share = bytes_wanted * 8 / (kMoveBits * static_cast<double>(run.schedule().epochs * task.plan.parameters()));
  double bits = 0;
  for (std::int64_t epoch = 0; epoch < run.schedule().epochs; ++epoch) {
    const std::vector<torch::Tensor> before = copies(run.network().parameters());
    torch::optim::AdamW optimizer(run.network().parameters(),
                                  torch::optim::AdamWOptions(task.rules.learning_rate).weight_decay(kWeightDecay));
    run.pass(optimizer, epoch * run.schedule().steps_per_epoch, run.schedule().steps_per_epoch, {});
    const torch::NoGradGuard no_gradient;
    auto parameters = run.network().parameters();
    std::vector<torch::Tensor> wanted;
    for (std::size_t i = 0; i < parameters.size(); ++i) wanted.push_back(parameters[i] - before[i] + kept_back[i]);
    const std::vector<torch::Tensor> masks = largest(wanted, share);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const double set = masks[i].sum().item<double>();
      const double size = set > 0 ? (wanted[i].abs() * masks[i]).sum().item<double>() / set : 0;
      const torch::Tensor sent = wanted[i].sign() * masks[i] * size;
      kept_back[i] = wanted[i] - sent;
      parameters[i].copy_(before[i] + sent);
      bits += golomb_bits(masks[i], share) + set + kSizeBits;
    }
  }
  return PeerUpdate{run.network().weights(), static_cast<std::uint64_t>(std::ceil(bits / 8)), run.accuracy()};
}

template <class F>
Result<PeerUpdate> guarded(F&& work) {
  try {
    return work();
  } catch (const std::exception& error) {
    return fail(Code::unavailable, std::string("libtorch: ") + error.what());
  }
}

}  // namespace

Result<PeerUpdate> adaptive_streaming(const PeerTask& task) {
  return guarded([&] { return adaptive_streaming_unguarded(task); });
}

Result<PeerUpdate> sparse_ternary(const PeerTask& task, double bytes_wanted) {
  return guarded([&] { return sparse_ternary_unguarded(task, bytes_wanted); });
}

Weights quantised_after(const Weights& deployed, const Weights& free, std::int32_t scale) {
  Weights result = deployed;
  for (std::size_t t = 0; t < result.size(); ++t)
    for (std::size_t e = 0; e < result[t].values.size(); ++e) {
      const double move = static_cast<double>(free[t].values[e]) - static_cast<double>(deployed[t].values[e]);
      const auto steps = static_cast<std::int64_t>(std::llround(std::ldexp(move, scale)));
      std::uint32_t bits = 0;
      if (delta::move_by_steps(std::bit_cast<std::uint32_t>(deployed[t].values[e]), steps, scale, bits))
        result[t].values[e] = std::bit_cast<float>(bits);
    }
  return result;
}

}  // namespace hone::bench
