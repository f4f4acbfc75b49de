#include "cloud/release/self_test.hpp"

#include <algorithm>
#include <cmath>

#include "shared/wire/npy.hpp"

namespace hone::cloud {

Result<wire::SelfTest> make_self_test(const model::Runner& candidate, const wire::DatasetManifest& dataset,
                                      BlobStore& blobs, float tolerance) {
  if (dataset.holdout.empty()) return fail(Code::invalid, "self-test: the dataset version has no holdout");
  const wire::Shard& shard = dataset.holdout.front();
  HONE_TRY(const Bytes file, blobs.get(shard.x, kShardBytesMax));
  HONE_TRY(const wire::NpyHeader header, wire::parse_npy(file, file.size()));
  const std::size_t bytes = dataset.signal.sample_bytes();
  if (header.data_bytes != static_cast<std::size_t>(shard.rows) * bytes) {
    return fail(Code::damaged, "self-test: shard " + shard.x.hex() + " has another size than its manifest says");
  }

  wire::SelfTest test;
  const auto affordable = static_cast<std::int64_t>(kSelfTestInputBytesMax / bytes);
  test.rows = std::clamp<std::int64_t>(affordable, 1, std::min(kSelfTestRows, shard.rows));
  for (std::int64_t i = 0; i < test.rows; ++i) {
    const auto row = static_cast<std::size_t>(i * shard.rows / test.rows);
    const ByteView input = ByteView(file).subspan(header.data_offset + row * bytes, bytes);
    test.inputs.insert(test.inputs.end(), input.begin(), input.end());
  }
  test.outputs.resize(static_cast<std::size_t>(test.rows * candidate.width()));
  HONE_CHECK(candidate.run(test.inputs, test.rows, test.outputs));

  float scale = 0;
  for (const float output : test.outputs) {
    if (!std::isfinite(output))
      return fail(Code::invalid, "self-test: the model answers with numbers that are not finite");
    scale = std::max(scale, std::abs(output));
  }
  test.tolerance = tolerance * std::max(scale, 1e-6F);
  return test;
}

}  // namespace hone::cloud
