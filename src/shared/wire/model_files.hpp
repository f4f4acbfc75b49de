// The files of one trained model: the plain ONNX file that everything is measured against, the same network in other
// formats, and what the encoder may know of its update.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace hone::wire {

class Fields;

constexpr std::string_view kPlainFormat = "onnx";  // every model has it
constexpr std::string_view kInt8Format = "onnx-int8";
constexpr std::size_t kExportsMax = 8;

struct ModelExport {
  std::string format;  // a plain name other than kPlainFormat; a reader takes those that it does not know
  ModelHash model;     // of its file

  friend bool operator==(const ModelExport&, const ModelExport&) = default;
};

struct ModelFiles {
  ModelHash model;                   // the plain ONNX file
  std::vector<ModelExport> exports;  // each format once
  std::optional<BlobHash> hints;     // for the delta from the model that training began from: delta/encode/hints_file.hpp
  double validation_metric = 0;      // of the plain file; NaN: none

  [[nodiscard]] std::vector<BlobHash> blobs() const;  // every file that it names, the model first
};

// "onnx-int8", and so on: a plain name, but not the plain format's.
[[nodiscard]] bool is_export_format(std::string_view name);

[[nodiscard]] Json to_json(const std::vector<ModelExport>& exports);
[[nodiscard]] Result<std::vector<ModelExport>> exports_from(const Json& json);

[[nodiscard]] Json to_json(const ModelFiles& files);
[[nodiscard]] Result<ModelFiles> model_files_from(const Json& json);
// The same keys within a larger object.
void read_model_files(Fields& fields, ModelFiles& files);

// JSON has no NaN and no infinity: a loss that blew up travels as null.
[[nodiscard]] Json figure(double value);
void read_figure(Fields& fields, std::string_view key, double& out);

}  // namespace hone::wire
