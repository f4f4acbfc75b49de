#include "eval_data.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>
#include <optional>
#include <utility>

#include "idx.hpp"
#include "shared/wire/npy.hpp"

namespace hone::app {
namespace {

struct Tensor {
  std::string descr;  // as in .npy
  std::vector<std::int64_t> shape;
  Bytes data;
};

std::string text_of_shape(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t extent : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + "]";
}

Result<Tensor> load_npy(Files& files, const std::string& path) {
  HONE_TRY(Bytes file, read_file(files, path, kEvalFileBytesMax));
  const auto header = wire::parse_npy(file, file.size());
  if (!header) return fail(header.error().within(path));
  Tensor tensor{header->descr, header->shape, {}};
  tensor.data.assign(file.begin() + static_cast<std::ptrdiff_t>(header->data_offset), file.end());
  return tensor;
}

Result<Tensor> load_idx(Files& files, const std::string& path) {
  HONE_TRY(const Bytes file, read_file(files, path, kEvalFileBytesMax));
  auto parsed = parse_idx(file);
  if (!parsed) return fail(parsed.error().within(path));
  return Tensor{std::string(wire::npy_descr(parsed->dtype)), std::move(parsed->shape), std::move(parsed->data)};
}

// Samples may lack axes of extent 1: MNIST's images are [n, 28, 28] for a signal of [1, 28, 28].
bool fits(const std::vector<std::int64_t>& shape, const wire::Signal& signal) {
  if (shape.empty()) return false;
  const auto without_ones = [](auto begin, auto end) {
    std::vector<std::int64_t> kept;
    std::copy_if(begin, end, std::back_inserter(kept), [](std::int64_t extent) { return extent != 1; });
    return kept;
  };
  return without_ones(shape.begin() + 1, shape.end()) == without_ones(signal.shape.begin(), signal.shape.end());
}

template <class T>
std::vector<std::int64_t> widened(const Bytes& data) {
  std::vector<std::int64_t> values(data.size() / sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, data.data() + i * sizeof(T), sizeof(T));
    values[i] = static_cast<std::int64_t>(value);
  }
  return values;
}

std::optional<std::vector<std::int64_t>> whole_numbers(const Tensor& tensor) {
  if (tensor.descr == "|u1") return widened<std::uint8_t>(tensor.data);
  if (tensor.descr == "|i1") return widened<std::int8_t>(tensor.data);
  if (tensor.descr == "<i2") return widened<std::int16_t>(tensor.data);
  if (tensor.descr == "<i4") return widened<std::int32_t>(tensor.data);
  if (tensor.descr == "<i8") return widened<std::int64_t>(tensor.data);
  return std::nullopt;
}

Result<EvalData> join(Tensor x, const std::string& x_path, const Tensor& y, const std::string& y_path,
                      const wire::Signal& signal) {
  if (x.descr != wire::npy_descr(signal.dtype))
    return fail(Code::invalid, x_path + " holds elements of type " + x.descr + ", the signal has dtype " +
                                   std::string(wire::name_of(signal.dtype)));
  if (!fits(x.shape, signal))
    return fail(Code::invalid, x_path + " has shape " + text_of_shape(x.shape) +
                                   ", which is not rows of the signal's " + text_of_shape(signal.shape));
  auto labels = whole_numbers(y);
  if (!labels || y.shape.size() != 1)
    return fail(Code::invalid, y_path + " must hold one whole number a row: the label's index");
  if (y.shape[0] != x.shape[0])
    return fail(Code::invalid, x_path + " has " + std::to_string(x.shape[0]) + " rows, " + y_path + " has " +
                                   std::to_string(y.shape[0]));
  const auto label_count = static_cast<std::int64_t>(signal.labels.size());
  for (std::size_t i = 0; i < labels->size(); ++i)
    if ((*labels)[i] < -1 || (*labels)[i] >= label_count)
      return fail(Code::invalid, y_path + " has label " + std::to_string((*labels)[i]) + " in row " +
                                     std::to_string(i) + "; the signal has labels 0 to " +
                                     std::to_string(label_count - 1));
  return EvalData{std::move(x.data), std::move(*labels), x_path + ", " + y_path};
}

// The images' file of the pair to take, by the order in which hone would rather have them.
std::optional<std::string> choose_images(const std::vector<std::string>& names) {
  constexpr std::string_view kImages = "-images-idx3-ubyte";
  std::optional<std::string> chosen;
  for (const std::string& name : names) {
    if (!name.ends_with(kImages)) continue;
    const bool for_tests = name.starts_with("t10k") || name.starts_with("test");
    if (!chosen || for_tests) chosen = name;
    if (for_tests) break;
  }
  return chosen;
}

}  // namespace

Result<EvalData> load_eval_data(Files& files, const std::string& folder, const wire::Signal& signal) {
  if (signal.labels.empty())
    return fail(Code::invalid, "the pipeline's signal has no labels: accuracy cannot be measured without them");
  const auto names = files.list(folder);
  if (!names) return fail(names.error().within("the data folder " + folder + " cannot be read"));
  const auto has = [&](const std::string& name) {
    return std::find(names->begin(), names->end(), name) != names->end();
  };

  if (has("x.npy") && has("y.npy")) {
    const std::string x_path = folder + "/x.npy", y_path = folder + "/y.npy";
    HONE_TRY(Tensor x, load_npy(files, x_path));
    HONE_TRY(const Tensor y, load_npy(files, y_path));
    return join(std::move(x), x_path, y, y_path, signal);
  }
  const auto images = choose_images(*names);
  if (!images)
    return fail(Code::not_found, folder +
                                     " has neither x.npy and y.npy nor an IDX pair such as t10k-images-idx3-ubyte and "
                                     "t10k-labels-idx1-ubyte: name the folder that holds the data with --data");
  const std::string labels = images->substr(0, images->find("-images-")) + "-labels-idx1-ubyte";
  const std::string x_path = folder + "/" + *images, y_path = folder + "/" + labels;
  if (!has(labels)) return fail(Code::not_found, y_path + " is missing: it belongs to " + x_path);
  HONE_TRY(Tensor x, load_idx(files, x_path));
  HONE_TRY(const Tensor y, load_idx(files, y_path));
  return join(std::move(x), x_path, y, y_path, signal);
}

}  // namespace hone::app
