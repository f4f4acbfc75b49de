#include "trainer/quantise/calibrate.hpp"

#include <algorithm>
#include <cmath>

namespace hone::trainer {
namespace {

constexpr std::int64_t kRowsAtOnce = 64;
constexpr const char* kRanges = "hone.ranges";

// The same graph with one output [N, 2 * values]: each value's smallest and largest element, row by row.
Result<Bytes> with_ranges(onnx::ModelProto model, const std::vector<std::string>& values) {
  onnx::GraphProto& graph = *model.mutable_graph();
  onnx::NodeProto join;
  for (const std::string& value : values) {
    const std::string flat = "hone.flat." + value;
    Chain chain(graph, value);
    set_int(chain.add("Flatten", flat), "axis", 1);
    for (const char* op : {"ReduceMin", "ReduceMax"}) {
      Chain end(graph, flat);
      onnx::NodeProto& reduce = end.add(op, "hone." + std::string(op) + "." + value);
      set_ints(reduce, "axes", {1});
      set_int(reduce, "keepdims", 1);
      join.add_input(end.value());
    }
  }
  join.set_op_type("Concat");
  join.add_output(kRanges);
  set_int(join, "axis", 1);
  *graph.add_node() = std::move(join);
  graph.clear_output();
  set_value(*graph.add_output(), kRanges, onnx::TensorProto::FLOAT, {static_cast<std::int64_t>(2 * values.size())});
  std::string bytes;
  if (!model.SerializeToString(&bytes)) return fail(Code::invalid, "the model does not fit an ONNX file (2 GiB)");
  return to_bytes(bytes);
}

Bytes evenly_spaced(const Rows& rows, std::int64_t count) {
  Bytes samples;
  for (std::int64_t i = 0; i < count; ++i) {
    const ByteView one = rows.sample(static_cast<std::size_t>(i) * rows.rows() / static_cast<std::size_t>(count));
    samples.insert(samples.end(), one.begin(), one.end());
  }
  return samples;
}

float quantile_of(std::vector<float>& figures, double quantile) {
  const auto at = static_cast<std::ptrdiff_t>(std::lround(quantile * static_cast<double>(figures.size() - 1)));
  std::nth_element(figures.begin(), figures.begin() + at, figures.end());
  return figures[static_cast<std::size_t>(at)];
}

}  // namespace

Result<std::map<std::string, Range>> calibrate(const onnx::ModelProto& model, const std::vector<std::string>& values,
                                               const Rows& rows, std::int64_t rows_max, double quantile,
                                               model::Runtime& runtime) {
  const auto count = std::min<std::int64_t>(rows_max, static_cast<std::int64_t>(rows.rows()));
  if (count == 0) return fail(Code::invalid, "there are no rows to calibrate with");
  HONE_TRY(const Bytes onnx, with_ranges(model, values));
  wire::Signal signal = rows.signal;
  signal.labels.clear();  // the output is no score
  HONE_TRY(const auto runner, runtime.load(onnx, signal));
  const Bytes samples = evenly_spaced(rows, count);
  const std::size_t width = 2 * values.size();
  std::vector<float> answers(static_cast<std::size_t>(count) * width);
  for (std::int64_t row = 0; row < count; row += kRowsAtOnce) {
    const std::int64_t some = std::min(kRowsAtOnce, count - row);
    const auto from = static_cast<std::size_t>(row);
    HONE_CHECK(runner->run(ByteView(samples).subspan(from * signal.sample_bytes(),
                                                     static_cast<std::size_t>(some) * signal.sample_bytes()),
                           some, std::span(answers).subspan(from * width, static_cast<std::size_t>(some) * width)));
  }
  std::map<std::string, Range> ranges;
  std::vector<float> column(static_cast<std::size_t>(count));
  for (std::size_t v = 0; v < width; ++v) {
    for (std::size_t row = 0; row < column.size(); ++row) column[row] = answers[row * width + v];
    if (!std::all_of(column.begin(), column.end(), [](float f) { return std::isfinite(f); }))
      return fail(Code::invalid, "the model computes numbers that are not finite on training rows");
    Range& range = ranges[values[v / 2]];
    if (v % 2 == 0)
      range.low = quantile_of(column, 1 - quantile);
    else
      range.high = quantile_of(column, quantile);
  }
  return ranges;
}

}  // namespace hone::trainer
