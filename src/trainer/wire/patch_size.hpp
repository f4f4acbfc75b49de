// What an update is as a file, and what that file takes on the wire: the ONNX file that the gate runs and
// devices rebuild, and the delta to it from the deployed one, made by the coder that publishes it.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "trainer/onnx_writer.hpp"
#include "trainer/plan.hpp"
#include "trainer/wire/tensor_update.hpp"

namespace hone::trainer::wire_training {

struct UpdateFile {  // borrowed
  const Plan& plan;
  const Weights& deployed;
  ByteView deployed_onnx;
  const OnnxLineage& lineage;  // of the new file

  [[nodiscard]] Result<Bytes> onnx(const Update& update) const;
  [[nodiscard]] Result<std::uint64_t> wire_bytes(const Update& update) const;
};

}  // namespace hone::trainer::wire_training
