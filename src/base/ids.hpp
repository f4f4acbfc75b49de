// Strong identifiers, so that swapped arguments fail to compile.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/hash.hpp"
#include "base/result.hpp"

namespace hone {

template <class Tag>
struct Name {
  std::string value;

  Name() = default;
  explicit Name(std::string v) : value(std::move(v)) {}
  [[nodiscard]] bool empty() const { return value.empty(); }
  friend auto operator<=>(const Name&, const Name&) = default;
};

using DeviceId = Name<struct DeviceIdTag>;      // "dev-" + 16 hex digits, given at enrolment
using PipelineName = Name<struct PipelineTag>;  // see is_plain_name
using BatchId = Name<struct BatchIdTag>;        // 32 hex digits, drawn once by the device
using JobId = Name<struct JobIdTag>;            // "job-" + number
using TrainerId = Name<struct TrainerIdTag>;

// Counts up by one per release of a pipeline; 0 means none. A rollback is a higher number.
struct ReleaseSeq {
  std::uint64_t value = 0;
  friend auto operator<=>(const ReleaseSeq&, const ReleaseSeq&) = default;
};

template <class Tag>
struct Digest {
  Sha256 sha256;
  [[nodiscard]] std::string hex() const { return sha256.hex(); }
  friend auto operator<=>(const Digest&, const Digest&) = default;
};
using ModelHash = Digest<struct ModelHashTag>;      // of the exported model file's bytes
using DatasetHash = Digest<struct DatasetHashTag>;  // of the dataset version's manifest bytes
using BlobHash = Digest<struct BlobHashTag>;

// Names that appear in paths, topics and URLs: 1 to 64 of [a-z0-9_-], starting with a letter.
[[nodiscard]] bool is_plain_name(std::string_view text);

}  // namespace hone
