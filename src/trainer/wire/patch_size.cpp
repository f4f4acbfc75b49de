#include "trainer/wire/patch_size.hpp"

#include "shared/delta/encode/encode.hpp"

namespace hone::trainer::wire_training {

Result<Bytes> UpdateFile::onnx(const Update& update) const {
  HONE_TRY(const Weights weights, rebuild(deployed, update));
  return write_onnx(plan, weights, lineage);
}

Result<std::uint64_t> UpdateFile::wire_bytes(const Update& update) const {
  HONE_TRY(const Bytes target, onnx(update));
  delta::EncodeOptions options;
  options.hints = hints_of(update);
  HONE_TRY(const Bytes patch, delta::encode(deployed_onnx, target, options));
  return patch.size();
}

}  // namespace hone::trainer::wire_training
