// [signal] and [collect]: what devices sense, and how much of it they send.
#include "shared/pipeline/sections.hpp"

namespace hone {
namespace {

constexpr std::size_t kLabelsMax = 4096;
constexpr std::int64_t kReadingsMax = std::int64_t{16} << 20;
constexpr std::int64_t kRecordWindowsMax = 4096;  // the graph holds an index for each of their readings

// Devices cut: `shape` was that of one reading, [channels]. From here on it is that of a window.
void cut_on_device(TomlSection& section, TomlSection& keys, const RecordWindows& windows, Pipeline& pipeline) {
  wire::Signal& signal = pipeline.signal;
  if (signal.shape.size() != 1)
    return section.fail_at("shape", "must be [channels], one reading, where devices cut windows from a stream");
  if (!pipeline.rate_hz)
    return section.fail_at("stream", "needs signal.rate_hz: how many readings a second there are");
  pipeline.stream = wire::Stream{windows.window, windows.stride, *pipeline.rate_hz};
  *pipeline.rate_hz /= static_cast<double>(windows.stride);
  signal.shape.push_back(windows.window);
  if (signal.shape.front() == 1) signal.shape.erase(signal.shape.begin());
  if (auto checked = wire::check(signal); !checked) return keys.fail_at("window", "does not work: " + checked.error().context);
  if (auto checked = wire::check(*pipeline.stream, signal); !checked)
    keys.fail_at("window", "does not work: " + checked.error().context);
}

// The graph cuts: `shape` is that of a record, [channels, length] or [length].
void cut_in_graph(TomlSection& section, TomlSection& keys, const RecordWindows& windows, Pipeline& pipeline) {
  const std::vector<std::int64_t>& shape = pipeline.signal.shape;
  if (shape.size() > 2)
    return section.fail_at("shape", "must be [channels, length] or [length] where the graph cuts windows from it");
  if (windows.window > shape.back())
    return keys.fail_at("window", "is longer than the record, which has " + std::to_string(shape.back()) + " readings");
  if ((shape.back() - windows.window) / windows.stride >= kRecordWindowsMax)
    return keys.fail_at("stride", "cuts more than " + std::to_string(kRecordWindowsMax) + " windows from a record");
  pipeline.windows = windows;
}

void read_stream(TomlSection& section, TomlErrors& errors, Pipeline& pipeline) {
  TomlSection keys(section.table("stream"), "signal.stream", section.source(), errors, {"window", "stride", "cut"});
  RecordWindows windows;
  keys.require("window");
  keys.integer("window", windows.window, 1, kReadingsMax);
  windows.stride = windows.window;
  keys.integer("stride", windows.stride, 1, kReadingsMax);
  const bool in_graph = keys.choice("cut", 0, {{"device", 0}, {"graph", 1}}) == 1;
  if (section.failed()) return;
  in_graph ? cut_in_graph(section, keys, windows, pipeline) : cut_on_device(section, keys, windows, pipeline);
}

}  // namespace

void read_signal(TomlSection section, TomlErrors& errors, Pipeline& pipeline) {
  wire::Signal& signal = pipeline.signal;
  section.require("shape");
  section.require("dtype");
  section.integers("shape", signal.shape, 4);
  signal.dtype = static_cast<wire::DType>(section.choice("dtype", static_cast<int>(wire::DType::float32),
                                                         {{"uint8", static_cast<int>(wire::DType::uint8)},
                                                          {"int8", static_cast<int>(wire::DType::int8)},
                                                          {"int16", static_cast<int>(wire::DType::int16)},
                                                          {"int32", static_cast<int>(wire::DType::int32)},
                                                          {"float32", static_cast<int>(wire::DType::float32)}}));
  section.number("scale", signal.scale, -1e30, 1e30);
  section.strings("labels", signal.labels, kLabelsMax);
  if (section.has("rate_hz")) section.number("rate_hz", pipeline.rate_hz.emplace(), 1e-9, 1e9);
  if (section.failed()) return;
  // With the bounds on one value checked, what is left is told where it most likely stands.
  if (auto checked = wire::check(wire::Signal{signal.shape, signal.dtype, 1.0, {}}); !checked)
    return section.fail_at("shape", "does not work: " + checked.error().context);
  if (signal.scale == 0) return section.fail_at("scale", "must not be 0");
  if (section.has("labels") && signal.labels.size() < 2)
    return section.fail_at("labels", "must name at least 2 labels; leave it out where nobody labels");
  if (auto checked = wire::check(signal); !checked)
    return section.fail_at("labels", "does not work: " + checked.error().context);
  if (section.has("stream")) read_stream(section, errors, pipeline);
}

void read_collect(TomlSection section, CollectRules& collect) {
  collect.until = static_cast<CollectUntil>(section.choice("until", static_cast<int>(CollectUntil::goal),
                                                           {{"goal", static_cast<int>(CollectUntil::goal)},
                                                            {"always", static_cast<int>(CollectUntil::always)},
                                                            {"never", static_cast<int>(CollectUntil::never)}}));
  section.size("daily_bytes", collect.daily_bytes);
  section.duration("flush_after", collect.flush_after);
  double audit_fraction = 0;
  section.number("audit_fraction", audit_fraction, 0, 1);
  if (audit_fraction != 0)
    section.fail_at("audit_fraction", "asks for an audit trickle, which this version does not have yet; use 0.0");
  bool resume_on_drift = false;
  section.flag("resume_on_drift", resume_on_drift);
  if (resume_on_drift)
    section.fail_at("resume_on_drift", "asks for drift detection, which this version does not have yet; use false");
}

}  // namespace hone
