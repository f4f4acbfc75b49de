#include "trainer/learn/training_data.hpp"

#include "trainer/row_tensors.hpp"

namespace hone::trainer {

TrainingData training_data(const Rows& rows, at::Device device) {
  const Split split = split_by_content(rows);
  return {samples_tensor(rows, device), labels_tensor(rows, device), indices_tensor(split.fit, device),
          indices_tensor(split.validation, device)};
}

}  // namespace hone::trainer
