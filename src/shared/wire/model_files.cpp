#include "shared/wire/model_files.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "shared/wire/fields.hpp"

namespace hone::wire {
namespace {

constexpr double kFigureMax = 1e300;

Result<ModelExport> export_from(const Json& json) {
  ModelExport item;
  Fields fields("export", json);
  fields.text("format", item.format, 64);
  if (!fields.failed() && !is_export_format(item.format))
    fields.fail_key("format", "must be the plain name of a format other than 'onnx', which is the model itself");
  fields.digest("model", item.model);
  return fields.finish(std::move(item));
}

}  // namespace

std::vector<BlobHash> ModelFiles::blobs() const {
  std::vector<BlobHash> all{BlobHash{model.sha256}};
  for (const ModelExport& item : exports) all.push_back(BlobHash{item.model.sha256});
  if (hints) all.push_back(*hints);
  return all;
}

bool is_export_format(std::string_view name) {
  return is_plain_name(name) && name != kPlainFormat;
}

Json to_json(const std::vector<ModelExport>& exports) {
  Json list = Json::array();
  for (const ModelExport& item : exports) list.push_back({{"format", item.format}, {"model", item.model.hex()}});
  return list;
}

Result<std::vector<ModelExport>> exports_from(const Json& json) {
  if (!json.is_array() || json.size() > kExportsMax)
    return fail(Code::invalid, "'exports' must be a list of at most " + std::to_string(kExportsMax) + " files");
  std::vector<ModelExport> exports;
  for (const Json& item : json) {
    HONE_TRY(auto one, export_from(item));
    for (const ModelExport& other : exports)
      if (other.format == one.format) return fail(Code::invalid, "'exports' names '" + one.format + "' twice");
    exports.push_back(std::move(one));
  }
  return exports;
}

Json to_json(const ModelFiles& files) {
  Json json{{"model", files.model.hex()}, {"validation_metric", figure(files.validation_metric)}};
  if (!files.exports.empty()) json["exports"] = to_json(files.exports);
  if (files.hints) json["hints"] = files.hints->hex();
  return json;
}

void read_model_files(Fields& fields, ModelFiles& files) {
  fields.digest("model", files.model);
  if (fields.has("exports")) {
    if (const Json* list = fields.array("exports", kExportsMax)) fields.take(exports_from(*list), files.exports);
  }
  if (fields.has("hints")) fields.digest("hints", files.hints.emplace());
  read_figure(fields, "validation_metric", files.validation_metric);
}

Result<ModelFiles> model_files_from(const Json& json) {
  ModelFiles files;
  Fields fields("model files", json);
  read_model_files(fields, files);
  return fields.finish(std::move(files));
}

Json figure(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

void read_figure(Fields& fields, std::string_view key, double& out) {
  if (fields.has(key))
    fields.number(key, out, -kFigureMax, kFigureMax);
  else
    out = std::nan("");
}

}  // namespace hone::wire
