// One training of a student under one budget of bytes: batches, the teacher's word beside the labels', the
// pressure on the bits, and the real coder that is asked now and then. This header knows libtorch.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "base/result.hpp"
#include "trainer/learn/training_data.hpp"
#include "trainer/network.hpp"
#include "trainer/schedule.hpp"
#include "trainer/wire/distil.hpp"
#include "trainer/wire/student.hpp"

namespace hone::trainer::wire_training {

struct Classroom {  // borrowed
  Network& learner;  // runs with the student's weights
  const TrainingData& data;
  const at::Tensor& wisdom;  // the teacher's scores of all rows, [rows, width]
  std::int64_t batch_rows = 0;
  Schedule schedule;
};

struct Allowance {  // bytes on the wire
  std::uint64_t least = 0;   // what an update takes that changes nothing
  std::uint64_t budget = 0;  // above `least`
};

// Leaves in `student` what it has learned, which may still be a little above the budget: the squeezes at the end come to
// an end too. Returns the steps taken. Errors: as of fit().
[[nodiscard]] Result<std::int64_t> lesson(const Classroom& room, Student& student, const Allowance& allowance,
                                          const Measure& measure, const OnProgress& progress);

}  // namespace hone::trainer::wire_training
