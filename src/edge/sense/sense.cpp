#include "edge/sense/sense.hpp"

#include <limits>
#include <string>

#include "shared/wire/batch.hpp"

namespace hone::edge {

Result<> check(const Sample& sample, const wire::Signal& signal) {
  if (sample.bytes.size() != signal.sample_bytes()) {
    return fail(Code::invalid, "a sample of this pipeline is " + std::to_string(signal.sample_bytes()) +
                                   " bytes; got " + std::to_string(sample.bytes.size()));
  }
  const auto labels = static_cast<std::int64_t>(signal.labels.size());
  if (sample.label < wire::kNoLabel || sample.label >= labels) {
    return fail(Code::invalid, labels == 0 ? "this pipeline has no labels; pass -1"
                                           : "the label must be from 0 to " + std::to_string(labels - 1) +
                                                 ", or -1 for none; got " + std::to_string(sample.label));
  }
  return check(sample);
}

Result<> check(const Sample& sample) {
  if (sample.bytes.empty()) return fail(Code::invalid, "the sample is empty");
  if (sample.bytes.size() > wire::kBatchRawBytesMax / 2) {
    return fail(Code::invalid, "the sample is larger than a batch can carry (" +
                                   std::to_string(wire::kBatchRawBytesMax / 2) + " bytes)");
  }
  if (sample.label < wire::kNoLabel || sample.label > std::numeric_limits<std::int32_t>::max()) {
    return fail(Code::invalid, "the label must be an index, or -1 for none; got " + std::to_string(sample.label));
  }
  return {};
}

}  // namespace hone::edge
