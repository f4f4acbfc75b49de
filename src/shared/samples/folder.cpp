#include "shared/samples/folder.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>
#include <utility>

#include "shared/samples/csv.hpp"
#include "shared/samples/tensor_file.hpp"
#include "shared/wire/npy.hpp"

namespace hone::samples {
namespace {

constexpr std::string_view kImages = "-images-idx3-ubyte";
constexpr std::string_view kLabels = "-labels-idx1-ubyte";

// One file of samples; for .npy and IDX its labels stand in another.
struct Source {
  std::string x, y;          // names; y is empty for CSV
  std::optional<Part> part;  // that the name speaks of
};

std::optional<Part> part_in(std::string_view name) {
  if (name.starts_with("train")) return Part::training;
  if (name.starts_with("test") || name.starts_with("t10k")) return Part::test;
  return std::nullopt;
}

std::vector<Source> npy_sources(const std::vector<std::string>& names) {
  std::vector<Source> sources;
  for (const std::string& name : names) {
    if (!name.starts_with('x') || !name.ends_with(".npy")) continue;
    const std::string_view rest = std::string_view(name).substr(1);
    sources.push_back({name, "y" + std::string(rest), part_in(rest.substr(std::min(rest.find_first_not_of("-_."), rest.size())))});
  }
  return sources;
}

std::vector<Source> idx_sources(const std::vector<std::string>& names) {
  std::vector<Source> sources;
  for (const std::string& name : names)
    if (name.ends_with(kImages))
      sources.push_back({name, name.substr(0, name.size() - kImages.size()) + std::string(kLabels), part_in(name)});
  return sources;
}

std::vector<Source> csv_sources(const std::vector<std::string>& names) {
  std::vector<Source> sources;
  for (const std::string& name : names)
    if (name.ends_with(".csv")) sources.push_back({name, {}, part_in(name)});
  return sources;
}

// Those of the wanted part, else those that say nothing of a part, else all.
std::vector<Source> of_part(const std::vector<Source>& sources, Part wanted) {
  for (const std::optional<Part>& part : {std::optional<Part>(wanted), std::optional<Part>()}) {
    std::vector<Source> chosen;
    std::copy_if(sources.begin(), sources.end(), std::back_inserter(chosen), [&](const Source& s) { return s.part == part; });
    if (!chosen.empty()) return chosen;
  }
  return sources;
}

// Samples may lack axes of extent 1, or be flat.
bool fits(const std::vector<std::int64_t>& shape, const wire::Signal& signal) {
  if (shape.empty()) return false;
  const auto without_ones = [](auto begin, auto end) {
    std::vector<std::int64_t> kept;
    std::copy_if(begin, end, std::back_inserter(kept), [](std::int64_t extent) { return extent != 1; });
    return kept;
  };
  if (shape.size() == 2 && shape[1] == static_cast<std::int64_t>(signal.elements())) return true;
  return without_ones(shape.begin() + 1, shape.end()) == without_ones(signal.shape.begin(), signal.shape.end());
}

Bytes floats_of_doubles(const Bytes& data) {
  Bytes floats(data.size() / 2);
  for (std::size_t i = 0; i < floats.size() / sizeof(float); ++i) {
    double wide = 0;
    std::memcpy(&wide, data.data() + i * sizeof wide, sizeof wide);
    const auto value = static_cast<float>(wide);
    std::memcpy(floats.data() + i * sizeof value, &value, sizeof value);
  }
  return floats;
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

std::optional<std::vector<std::int64_t>> whole_numbers(const TensorFile& tensor) {
  if (tensor.descr == "|u1") return widened<std::uint8_t>(tensor.data);
  if (tensor.descr == "|i1") return widened<std::int8_t>(tensor.data);
  if (tensor.descr == "<i2") return widened<std::int16_t>(tensor.data);
  if (tensor.descr == "<i4") return widened<std::int32_t>(tensor.data);
  if (tensor.descr == "<i8") return widened<std::int64_t>(tensor.data);
  return std::nullopt;
}

class FolderReader {
 public:
  FolderReader(Files& files, const std::string& folder, const wire::Signal& signal, const FolderOptions& options)
      : files_(files), folder_(folder), signal_(signal), options_(options), bytes_left_(options.bytes_max) {}

  Result<Samples> read() {
    HONE_CHECK(wire::check(signal_));
    auto names = files_.list(folder_);
    if (!names) return fail(names.error().within("the data folder " + folder_ + " cannot be read"));
    names_ = std::move(*names);
    for (const auto& sources : {npy_sources(names_), idx_sources(names_), csv_sources(names_)}) {
      if (sources.empty()) continue;
      for (const Source& source : of_part(sources, options_.part)) HONE_CHECK(append(source));
      return std::move(samples_);
    }
    return fail(Code::not_found, folder_ + " has neither x.npy (with y.npy), nor an IDX pair such as "
                "train-images-idx3-ubyte and train-labels-idx1-ubyte, nor a .csv file: name the folder that holds the "
                "data with --data");
  }

 private:
  Result<> append(const Source& source) {
    HONE_TRY(Samples more, source.y.empty() ? read_csv(source.x) : read_pair(source));
    samples_.source += (samples_.source.empty() ? "" : ", ") + more.source;
    if (samples_.y.empty()) {
      samples_.x = std::move(more.x);
      samples_.y = std::move(more.y);
      return {};
    }
    samples_.x.insert(samples_.x.end(), more.x.begin(), more.x.end());
    samples_.y.insert(samples_.y.end(), more.y.begin(), more.y.end());
    return {};
  }

  Result<Samples> read_csv(const std::string& name) {
    const std::string path = folder_ + "/" + name;
    HONE_TRY(const Bytes text, read_file(files_, path, bytes_left_));
    bytes_left_ -= text.size();
    auto samples = parse_csv(text, signal_, {options_.label_column, options_.labels_required});
    if (!samples) return fail(samples.error().within(path));
    samples->source = path;
    return samples;
  }

  Result<Samples> read_pair(const Source& source) {
    HONE_TRY(TensorFile x, read_tensor(source.x));
    if (std::find(names_.begin(), names_.end(), source.y) == names_.end()) {
      if (options_.labels_required) return fail(Code::not_found, folder_ + "/" + source.y + " is missing: it belongs to " + x.path);
      HONE_CHECK(check_x(x));
      const auto rows = static_cast<std::size_t>(x.shape[0]);
      return Samples{elements_of(std::move(x)), std::vector<std::int64_t>(rows, kNoLabel), folder_ + "/" + source.x};
    }
    HONE_TRY(const TensorFile y, read_tensor(source.y));
    HONE_CHECK(check_x(x));
    HONE_TRY(auto labels, labels_of(y, x));
    return Samples{elements_of(std::move(x)), std::move(labels), folder_ + "/" + source.x + ", " + y.path};
  }

  Result<TensorFile> read_tensor(const std::string& name) {
    HONE_TRY(TensorFile tensor, read_tensor_file(files_, folder_ + "/" + name, bytes_left_));
    bytes_left_ -= std::min<std::uint64_t>(bytes_left_, tensor.data.size());
    return tensor;
  }

  [[nodiscard]] bool needs_narrowing(const TensorFile& x) const {
    return signal_.dtype == wire::DType::float32 && x.descr == "<f8";
  }
  Bytes elements_of(TensorFile x) const { return needs_narrowing(x) ? floats_of_doubles(x.data) : std::move(x.data); }

  Result<> check_x(const TensorFile& x) const {
    if (x.descr != wire::npy_descr(signal_.dtype) && !needs_narrowing(x))
      return fail(Code::invalid, x.path + " holds elements of type " + x.descr + ", the signal has dtype " +
                                     std::string(wire::name_of(signal_.dtype)));
    if (!fits(x.shape, signal_))
      return fail(Code::invalid, x.path + " has shape " + text_of_shape(x.shape) +
                                     ", which is not rows of the signal's " + text_of_shape(signal_.shape));
    return {};
  }

  Result<std::vector<std::int64_t>> labels_of(const TensorFile& y, const TensorFile& x) const {
    auto labels = whole_numbers(y);
    if (!labels || y.shape.size() != 1)
      return fail(Code::invalid, y.path + " must hold one whole number a row: the label's index");
    if (y.shape[0] != x.shape[0])
      return fail(Code::invalid, x.path + " has " + std::to_string(x.shape[0]) + " rows, " + y.path + " has " + std::to_string(y.shape[0]));
    const std::int64_t max = signal_.labels.empty() ? kLabelIndexMax : static_cast<std::int64_t>(signal_.labels.size()) - 1;
    for (std::size_t i = 0; i < labels->size(); ++i)
      if ((*labels)[i] < kNoLabel || (*labels)[i] > max)
        return fail(Code::invalid, y.path + " has label " + std::to_string((*labels)[i]) + " in row " + std::to_string(i) +
                                       "; " + (signal_.labels.empty() ? "labels are" : "the signal has labels") + " 0 to " + std::to_string(max));
    return std::move(*labels);
  }

  Files& files_;
  const std::string& folder_;
  const wire::Signal& signal_;
  const FolderOptions& options_;
  std::uint64_t bytes_left_;
  std::vector<std::string> names_;
  Samples samples_;
};

}  // namespace

Result<Samples> read_folder(Files& files, const std::string& folder, const wire::Signal& signal, const FolderOptions& options) {
  return FolderReader(files, folder, signal, options).read();
}

}  // namespace hone::samples
