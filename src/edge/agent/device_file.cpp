#include "edge/agent/device_file.hpp"

#include <algorithm>
#include <utility>

namespace hone::edge {
namespace {

constexpr std::int64_t kFormat = 1;

Json to_json(const InstalledModel& m) {
  return {{"release", m.release.value},
          {"model", m.model.hex()},
          {"bytes", m.bytes},
          {"slot", std::string(1, m.slot)},
          {"signal", wire::to_json(m.signal)},
          {"goal_met", m.goal_met}};
}

Result<InstalledModel> installed_from(const Json& json) {
  InstalledModel m;
  HONE_TRY(const auto release, get_int(json, "release"));
  HONE_TRY(const auto hex, get_string(json, "model"));
  HONE_TRY(m.model.sha256, Sha256::from_hex(hex));
  HONE_TRY(const auto bytes, get_int(json, "bytes"));
  HONE_TRY(const auto slot, get_string(json, "slot"));
  HONE_TRY(const Json* signal, get_object(json, "signal"));
  HONE_TRY(m.signal, wire::signal_from(*signal));
  HONE_TRY(m.goal_met, get_bool(json, "goal_met"));
  if (release < 1 || bytes < 1 || (slot != "a" && slot != "b"))
    return fail(Code::invalid, "an installed model's values are out of range");
  m.release.value = static_cast<std::uint64_t>(release);
  m.bytes = static_cast<std::uint64_t>(bytes);
  m.slot = slot[0];
  return m;
}

Json to_json(const DeviceFile& d) {
  Json json = {{"format", kFormat},
               {"ticket", wire::to_json(d.ticket)},
               {"nonce", d.nonce},
               {"highest", d.highest.value},
               {"refused", Json::array()},
               {"outcomes", Json::array()},
               {"sent", {{"day", d.sent.day}, {"bytes", d.sent.bytes}}}};
  if (d.credential) json["credential"] = wire::to_json(*d.credential);
  if (d.installed) json["installed"] = to_json(*d.installed);
  if (d.previous) json["previous"] = to_json(*d.previous);
  if (d.trial) {
    json["trial"] = {{"boots", d.trial->boots},
                     {"live_at_ms", unix_ms(d.trial->live_at)},
                     {"by_delta", d.trial->by_delta},
                     {"fetched_bytes", d.trial->fetched_bytes}};
  }
  if (d.offer) json["offer"] = wire::to_json(*d.offer);
  for (const ReleaseSeq r : d.refused) json["refused"].push_back(r.value);
  for (const auto& o : d.outcomes) json["outcomes"].push_back(wire::to_json(o));
  return json;
}

Result<DeviceFile> device_from(const Json& json) {
  HONE_TRY(const auto format, get_int(json, "format"));
  if (format != kFormat) {
    return fail(Code::invalid,
                "it is of format " + std::to_string(format) + ", this library knows " + std::to_string(kFormat));
  }
  DeviceFile d;
  HONE_TRY(const Json* ticket, get_object(json, "ticket"));
  HONE_TRY(d.ticket, wire::ticket_from(*ticket));
  HONE_TRY(d.nonce, get_string(json, "nonce"));
  HONE_TRY(const auto highest, get_int(json, "highest"));
  d.highest.value = static_cast<std::uint64_t>(std::max<std::int64_t>(0, highest));
  HONE_TRY(const Json* sent, get_object(json, "sent"));
  HONE_TRY(d.sent.day, get_int(*sent, "day"));
  HONE_TRY(d.sent.bytes, get_int(*sent, "bytes"));
  if (json.contains("credential")) {
    HONE_TRY(const Json* credential, get_object(json, "credential"));
    HONE_TRY(d.credential, wire::enroll_reply_from(*credential));
  }
  if (json.contains("installed")) {
    HONE_TRY(const Json* installed, get_object(json, "installed"));
    HONE_TRY(d.installed, installed_from(*installed));
  }
  if (json.contains("previous")) {
    HONE_TRY(const Json* previous, get_object(json, "previous"));
    HONE_TRY(d.previous, installed_from(*previous));
  }
  if (json.contains("trial")) {
    HONE_TRY(const Json* trial, get_object(json, "trial"));
    Trial t;
    HONE_TRY(const auto boots, get_int(*trial, "boots"));
    HONE_TRY(const auto live_at, get_int(*trial, "live_at_ms"));
    HONE_TRY(t.by_delta, get_bool(*trial, "by_delta"));
    HONE_TRY(const auto fetched, get_int(*trial, "fetched_bytes"));
    t.boots = static_cast<int>(std::clamp<std::int64_t>(boots, 0, 1000));
    t.live_at = from_unix_ms(live_at);
    t.fetched_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(0, fetched));
    d.trial = t;
  }
  if (json.contains("offer")) {
    HONE_TRY(const Json* offer, get_object(json, "offer"));
    HONE_TRY(d.offer, wire::offer_from(*offer));
  }
  HONE_TRY(const Json* refused, get_array(json, "refused"));
  for (const Json& r : *refused) {
    if (!r.is_number_unsigned() || d.refused.size() >= kRefusedMax)
      return fail(Code::invalid, "'refused' is not a short list of releases");
    d.refused.push_back({r.get<std::uint64_t>()});
  }
  HONE_TRY(const Json* outcomes, get_array(json, "outcomes"));
  if (outcomes->size() > kOutcomesMax) return fail(Code::invalid, "'outcomes' is too long");
  for (const Json& o : *outcomes) {
    HONE_TRY(auto outcome, wire::outcome_from(o));
    d.outcomes.push_back(std::move(outcome));
  }
  return d;
}

}  // namespace

void remember_refused(DeviceFile& device, ReleaseSeq release) {
  if (std::find(device.refused.begin(), device.refused.end(), release) != device.refused.end()) return;
  if (device.refused.size() == kRefusedMax) device.refused.erase(device.refused.begin());
  device.refused.push_back(release);
}

void remember_outcome(DeviceFile& device, wire::Outcome outcome) {
  if (outcome.reason.size() > 512) outcome.reason.resize(512);
  std::erase_if(device.outcomes,
                [&](const wire::Outcome& o) { return o.release == outcome.release && o.kind == outcome.kind; });
  if (device.outcomes.size() == kOutcomesMax) device.outcomes.erase(device.outcomes.begin());
  device.outcomes.push_back(std::move(outcome));
}

Result<DeviceFile> read_device_file(Files& files, const std::string& path) {
  HONE_TRY(const Bytes bytes, read_file(files, path, kDeviceFileBytesMax));
  const auto json = parse_json(bytes);
  const auto device = json ? device_from(*json) : fail(json.error());
  if (!device) {
    return fail(Code::damaged, path + " cannot be read (" + device.error().context +
                                   "); move the state folder away and join again with a new ticket");
  }
  return device;
}

Result<> write_device_file(Files& files, const std::string& path, const DeviceFile& device) {
  return write_private_file_atomically(files, path, dump_bytes(to_json(device)));
}

}  // namespace hone::edge
