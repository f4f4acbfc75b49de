// How hard the bits are pressed on while an update is trained: lambda, in nats of the loss for a bit. Pure.
#pragma once

#include <algorithm>
#include <cmath>

namespace hone::trainer::wire_training {

// The target falls from what the update begins with to the budget over the first part of the training
// (lambda annealed), then stays. lambda follows it as a proportional-integral controller on a log scale:
// the integral finds the price of a bit, the proportional part damps it.
class Pressure {
 public:
  Pressure(double bits_at_first, double bits_budget) : first_(std::max(bits_at_first, bits_budget)), budget_(bits_budget) {}

  // For a training that has ended above the budget. A price that had sunk to nothing would take long to come back.
  void tighten() {
    budget_ *= kTightened;
    log_lambda_ = std::max(log_lambda_, kLogFirst);
  }

  // `done` is the part of the training that is over, 0 to 1. Returns lambda.
  double next(double bits, double done) {
    constexpr double kAnnealed = 0.4;
    const double left = std::max(0.0, 1 - done / kAnnealed);
    const double target = budget_ * std::pow(first_ / budget_, left);
    const double off = std::clamp(std::log(bits / target), -kOffMax, kOffMax);
    log_lambda_ = std::clamp(log_lambda_ + kIntegral * off, kLogMin, kLogMax);
    return std::exp(log_lambda_ + kProportional * off);
  }

 private:
  static constexpr double kIntegral = 0.4, kProportional = 4, kOffMax = 0.5;
  static constexpr double kTightened = 0.98;
  static constexpr double kLogFirst = -13, kLogMin = -25, kLogMax = -2;  // e^-13: about two millionths
  double first_, budget_;
  double log_lambda_ = kLogFirst;
};

}  // namespace hone::trainer::wire_training
