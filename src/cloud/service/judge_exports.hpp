// Whether the further files of a promoted model may ship: each is measured on its own, on the holdout rows that the plain
// file was measured on, through the port that devices run it with.
#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "cloud/service/judge.hpp"
#include "shared/wire/model_files.hpp"

namespace hone::cloud {

struct ExportVerdict {
  wire::ModelExport file;
  std::uint64_t bytes = 0;
  std::uint64_t plain_bytes = 0;
  double value = 0;        // the metric, on the holdout
  double plain_value = 0;  // of the plain file on the same rows
  double may_lose = 0;
  bool ships = false;
  std::string reason;      // one sentence
};

// For a judgement that promotes. An export that cannot be run does not ship, and costs the release nothing. An error means that
// the measuring failed and should be tried again.
[[nodiscard]] Result<std::vector<ExportVerdict>> judge_exports(Judge& judge, BlobStore& blobs, Metric metric, double may_lose,
                                                               const DatasetHash& dataset, const wire::ModelFiles& files,
                                                               const Judgement& plain);

[[nodiscard]] std::vector<wire::ModelExport> those_that_ship(const std::vector<ExportVerdict>& verdicts);
[[nodiscard]] Json to_json(const std::vector<ExportVerdict>& verdicts);  // as it is stored and shown

}  // namespace hone::cloud
