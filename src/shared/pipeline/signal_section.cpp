// [signal] and [collect]: what devices sense, and how much of it they send.
#include "shared/pipeline/sections.hpp"

namespace hone {
namespace {

constexpr std::size_t kLabelsMax = 4096;

}  // namespace

void read_signal(TomlSection section, Pipeline& pipeline) {
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
    section.fail_at("labels", "does not work: " + checked.error().context);
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
