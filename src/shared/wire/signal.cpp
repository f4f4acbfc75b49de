#include "shared/wire/signal.hpp"

#include <array>
#include <cmath>
#include <set>
#include <utility>

#include "shared/wire/fields.hpp"

namespace hone::wire {
namespace {

constexpr std::int64_t kElementsMax = std::int64_t{16} << 20;
constexpr std::size_t kRankMax = 4;
constexpr std::size_t kLabelsMax = 4096;
constexpr std::size_t kLabelBytesMax = 128;

struct DTypeRow {
  DType dtype;
  std::string_view name;
  std::size_t bytes;
};
constexpr std::array kDTypes{DTypeRow{DType::uint8, "uint8", 1}, DTypeRow{DType::int8, "int8", 1},
                             DTypeRow{DType::int16, "int16", 2}, DTypeRow{DType::int32, "int32", 4},
                             DTypeRow{DType::float32, "float32", 4}};

const DTypeRow& row_of(DType dtype) {
  return kDTypes[static_cast<std::size_t>(dtype)];
}

}  // namespace

std::string_view name_of(DType dtype) {
  return row_of(dtype).name;
}

std::size_t size_of(DType dtype) {
  return row_of(dtype).bytes;
}

Result<DType> dtype_from(std::string_view name) {
  for (const DTypeRow& row : kDTypes)
    if (row.name == name) return row.dtype;
  return fail(Code::invalid,
              "dtype '" + std::string(name.substr(0, 32)) + "' is none of uint8, int8, int16, int32, float32");
}

std::size_t Signal::elements() const {
  std::size_t product = 1;
  for (const std::int64_t extent : shape) product *= static_cast<std::size_t>(extent);
  return product;
}

Result<> check(const Signal& signal) {
  if (signal.shape.empty() || signal.shape.size() > kRankMax)
    return fail(Code::invalid, "the shape must have 1 to 4 axes, not " + std::to_string(signal.shape.size()));
  std::int64_t elements = 1;
  for (const std::int64_t extent : signal.shape) {
    if (extent < 1 || extent > kElementsMax || (elements *= extent) > kElementsMax)
      return fail(Code::invalid, "the extents of the shape must be 1 or more, and their product at most 16777216");
  }
  if (!std::isfinite(signal.scale) || signal.scale == 0)
    return fail(Code::invalid, "the scale must be a finite number other than 0");
  if (signal.labels.size() > kLabelsMax)
    return fail(Code::invalid, "there must be at most 4096 labels, not " + std::to_string(signal.labels.size()));
  std::set<std::string_view> seen;
  for (const std::string& label : signal.labels) {
    if (label.empty() || label.size() > kLabelBytesMax)
      return fail(Code::invalid, "each label must have 1 to 128 bytes");
    if (!seen.insert(label).second) return fail(Code::invalid, "the label '" + label + "' is there twice");
  }
  return {};
}

Json to_json(const Signal& signal) {
  return {{"shape", signal.shape},
          {"dtype", std::string(name_of(signal.dtype))},
          {"scale", signal.scale},
          {"labels", signal.labels}};
}

Result<Signal> signal_from(const Json& json) {
  Signal signal;
  Fields fields("signal", json);
  if (const Json* shape = fields.array("shape", kRankMax)) {
    for (const Json& extent : *shape) {
      if (!extent.is_number_integer() || extent > kElementsMax) {
        fields.fail_key("shape", "must hold whole numbers from 1 to 16777216");
        break;
      }
      signal.shape.push_back(extent.get<std::int64_t>());
    }
  }
  std::string dtype;
  fields.text("dtype", dtype, 16);
  if (!fields.failed()) fields.take(dtype_from(dtype), signal.dtype);
  fields.number("scale", signal.scale, -1e30, 1e30);
  if (const Json* labels = fields.array("labels", kLabelsMax)) {
    for (const Json& label : *labels) {
      if (!label.is_string()) {
        fields.fail_key("labels", "must hold strings");
        break;
      }
      signal.labels.push_back(label.get<std::string>());
    }
  }
  if (!fields.failed())
    if (auto checked = check(signal); !checked) fields.fail_with(std::move(checked).error());
  return fields.finish(std::move(signal));
}

}  // namespace hone::wire
