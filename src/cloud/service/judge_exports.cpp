#include "cloud/service/judge_exports.hpp"

#include <cstdio>
#include <utility>

namespace hone::cloud {
namespace {

std::string with_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

void decide(ExportVerdict& verdict, std::string_view metric) {
  const double loss = verdict.plain_value - verdict.value;
  verdict.ships = loss <= verdict.may_lose;  // not a number: no
  verdict.reason = std::string(metric) + " " + with_digits(verdict.value) + " where the plain file has " +
                   with_digits(verdict.plain_value) + ": " +
                   (verdict.ships ? "within" : "it would lose more than") + " the " + with_digits(verdict.may_lose) +
                   " that export.may_lose allows";
}

}  // namespace

Result<std::vector<ExportVerdict>> judge_exports(Judge& judge, BlobStore& blobs, Metric metric, double may_lose,
                                                 const DatasetHash& dataset, const wire::ModelFiles& files,
                                                 const Judgement& plain) {
  std::vector<ExportVerdict> verdicts;
  if (files.exports.empty()) return verdicts;
  HONE_TRY(const Bytes plain_file, blobs.get({files.model.sha256}, kModelBytesMax));
  for (const wire::ModelExport& file : files.exports) {
    ExportVerdict verdict{file, 0, plain_file.size(), 0, plain.metric_value, may_lose, false, {}};
    if (const auto bytes = blobs.get({file.model.sha256}, kModelBytesMax)) verdict.bytes = bytes->size();
    const auto value = judge.measure(metric, dataset, file.model);
    if (value) {
      verdict.value = *value;
      decide(verdict, plain.metric);
    } else if (value.error().code == Code::invalid || value.error().code == Code::damaged) {
      verdict.reason = "it cannot be used: " + value.error().context;
    } else {
      return fail(value.error().within("measure the export " + file.format));
    }
    verdicts.push_back(std::move(verdict));
  }
  return verdicts;
}

std::vector<wire::ModelExport> those_that_ship(const std::vector<ExportVerdict>& verdicts) {
  std::vector<wire::ModelExport> files;
  for (const ExportVerdict& verdict : verdicts)
    if (verdict.ships) files.push_back(verdict.file);
  return files;
}

Json to_json(const std::vector<ExportVerdict>& verdicts) {
  Json list = Json::array();
  for (const ExportVerdict& verdict : verdicts)
    list.push_back({{"format", verdict.file.format},
                    {"model", verdict.file.model.hex()},
                    {"bytes", verdict.bytes},
                    {"plain_bytes", verdict.plain_bytes},
                    {"value", wire::figure(verdict.value)},
                    {"plain_value", wire::figure(verdict.plain_value)},
                    {"may_lose", verdict.may_lose},
                    {"ships", verdict.ships},
                    {"reason", verdict.reason}});
  return list;
}

}  // namespace hone::cloud
