// libhone: the C interface over the agent, with the real ports. Exceptions of any kind stop here.
#include "hone/hone.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <exception>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "edge/agent/agent.hpp"
#include "edge/agent/enroll.hpp"
#include "edge/agent/mqtt_hints.hpp"
#include "platform/posix/posix.hpp"
#include "platform/posix/sigpipe_guard.hpp"
#include "shared/model/run/runtime.hpp"
#include "shared/wire/batch.hpp"

using hone::Code;
using hone::Error;
using hone::Result;

namespace {

constexpr std::uint64_t kTicketBytesMax = 1u << 20;
constexpr std::int64_t kTimeMsMax = 253'402'300'799'999;  // the end of the year 9999

// The numbers of the C interface and the library's own codes, side by side.
struct NamedCode {
  hone_code number;
  Code code;
};
constexpr NamedCode kCodes[] = {
    {HONE_UNAVAILABLE, Code::unavailable}, {HONE_NO_SPACE, Code::no_space},
    {HONE_WRONG_BASE, Code::wrong_base},   {HONE_DAMAGED, Code::damaged},
    {HONE_UNTRUSTED, Code::untrusted},     {HONE_OLDER_THAN_INSTALLED, Code::older_than_installed},
    {HONE_INVALID, Code::invalid},         {HONE_NOT_FOUND, Code::not_found},
    {HONE_CANCELLED, Code::cancelled},
};
static_assert(HONE_NO_MODEL == 10 && HONE_INTERNAL == 11, "numbers are never changed, only added");
static_assert(HONE_BOOTSTRAPPING == static_cast<int>(hone::edge::DeviceState::bootstrapping) &&
              HONE_LEARNING == static_cast<int>(hone::edge::DeviceState::learning) &&
              HONE_AUTONOMOUS == static_cast<int>(hone::edge::DeviceState::autonomous));
static_assert(HONE_NO_LABEL == hone::wire::kNoLabel);

hone_code number_of(Code code) {
  for (const NamedCode& named : kCodes) {
    if (named.code == code) return named.number;
  }
  return HONE_INTERNAL;
}

void copy_text(char* to, std::size_t bytes, std::string_view text) {
  if (!to || bytes == 0) return;
  const std::size_t size = std::min(bytes - 1, text.size());
  std::memcpy(to, text.data(), size);
  to[size] = 0;
}

hone_code tell(hone_code code, std::string_view text, char* message, std::size_t message_bytes) {
  copy_text(message, message_bytes, text);
  return code;
}
hone_code tell(const Error& error, char* message, std::size_t message_bytes) {
  return tell(number_of(error.code), error.context, message, message_bytes);
}

// Runs `work`, which returns a hone_code; nothing that is thrown passes.
template <class Work>
hone_code guarded(char* message, std::size_t message_bytes, Work&& work) noexcept {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return tell(HONE_INTERNAL, "out of memory", message, message_bytes);
  } catch (const std::exception& e) {
    return tell(HONE_INTERNAL, e.what(), message, message_bytes);
  } catch (...) {
    return tell(HONE_INTERNAL, "an unknown exception", message, message_bytes);
  }
}

// A struct of an older or newer application: what both know is read, the rest has its default.
template <class T>
T read_struct(const T* from) {
  T out{};
  std::memcpy(&out, from, std::min(sizeof(T), from->struct_size));
  return out;
}
template <class T>
void write_struct(T* to, T from) {
  from.struct_size = to->struct_size;
  std::memcpy(to, &from, std::min(sizeof(T), to->struct_size));
}

Result<hone::wire::Ticket> read_ticket(hone::Files& files, const std::string& path) {
  auto bytes = hone::read_file(files, path, kTicketBytesMax);
  if (!bytes) return hone::fail(bytes.error().within("ticket " + path));
  const auto json = hone::parse_json(*bytes);
  auto ticket = json ? hone::wire::ticket_from(*json) : hone::fail(json.error());
  if (!ticket)
    return hone::fail(Code::invalid, "ticket " + path + ": " + ticket.error().context +
                                         "; pass the file that 'hone device enroll' wrote");
  return ticket;
}

}  // namespace

struct hone_device {
  std::unique_ptr<hone::Files> files;
  std::unique_ptr<hone::Clock> clock;
  std::unique_ptr<hone::Random> random;
  std::unique_ptr<hone::model::Runtime> runtime;
  std::unique_ptr<hone::edge::Agent> agent;  // after what it borrows
};

namespace {

Result<std::unique_ptr<hone_device>> open_device(const hone_options& options) {
  namespace edge = hone::edge;
  auto device = std::make_unique<hone_device>();
  device->files = hone::platform::make_posix_files();
  device->clock = hone::platform::make_system_clock();
  device->random = hone::platform::make_system_random();
  HONE_TRY(device->runtime, hone::model::make_onnx_runtime());

  edge::AgentOptions agent;
  agent.folder = options.state_folder;
  HONE_TRY(const bool folder_was_there, device->files->exists(agent.folder));
  if (!folder_was_there) {
    // Samples and the device's secret are nobody else's; a folder that the user made keeps its mode.
    HONE_CHECK(device->files->make_folders(agent.folder));
    if (chmod(agent.folder.c_str(), S_IRWXU) != 0)
      return hone::fail(Code::unavailable, agent.folder + " cannot be made private");
  }
  if (options.ticket_file) {
    auto ticket = read_ticket(*device->files, options.ticket_file);
    // A device that has joined goes on without its ticket file.
    HONE_TRY(const bool known, device->files->exists(agent.folder + "/device.json"));
    if (ticket) {
      agent.ticket = std::move(*ticket);
    } else if (!known) {
      return hone::fail(ticket.error());
    }
  }
  if (options.spool_bytes_max) agent.spool.bytes_max = options.spool_bytes_max;
  agent.spool.refuse_when_full = options.refuse_when_full != 0;
  if (options.trial_inferences) agent.trial.inferences = options.trial_inferences;
  if (options.trial_ms) agent.trial.time = std::chrono::milliseconds(options.trial_ms);

  edge::AgentPorts ports{
      *device->files, *device->random, *device->runtime,
      [](const hone::wire::Ticket& ticket, const std::string& authorization) {
        return hone::platform::make_http_client({ticket.url, ticket.ca_pem, authorization});
      },
      [files = device->files.get(), folder = agent.folder](
          const hone::wire::Ticket& ticket,
          const hone::wire::EnrollReply& credential) -> std::unique_ptr<hone::HintSource> {
        // The broker's client takes the authority as a file only.
        const std::string ca_file = folder + "/ca.pem";
        if (!hone::write_file_atomically(*files, ca_file, hone::as_bytes(ticket.ca_pem))) return nullptr;
        return edge::make_mqtt_hints({credential.mqtt_host, credential.mqtt_port, credential.device.value,
                                      credential.secret, ca_file, edge::offer_topic(credential.pipeline.value)});
      }};
  HONE_TRY(device->agent, edge::Agent::open(std::move(agent), std::move(ports), device->clock->now()));
  return device;
}

hone_code answer(const Result<hone::edge::Inference>& inference, hone_result& result, char* message,
                 std::size_t message_bytes) {
  if (!inference) {
    if (inference.error().code == Code::not_found)
      return tell(HONE_NO_MODEL, inference.error().context, message, message_bytes);
    return tell(inference.error(), message, message_bytes);
  }
  write_struct(&result, hone_result{0, inference->release.value, static_cast<std::int32_t>(inference->label),
                                    inference->score, static_cast<std::uint32_t>(inference->width)});
  return HONE_OK;
}

}  // namespace

extern "C" {

const char* hone_error_name(int code) {
  if (code == HONE_OK) return "ok";
  if (code == HONE_NO_MODEL) return "no_model";
  if (code == HONE_INTERNAL) return "internal";
  for (const NamedCode& named : kCodes) {
    if (named.number == code) return hone::name_of(named.code).data();  // literals: they end with a zero
  }
  return "unknown";
}

const char* hone_state_name(int state) {
  if (state < HONE_BOOTSTRAPPING || state > HONE_AUTONOMOUS) return "unknown";
  return hone::edge::name_of(static_cast<hone::edge::DeviceState>(state)).data();
}

hone_code hone_open(const hone_options* options, hone_device** out, char* message, size_t message_bytes) {
  return guarded(message, message_bytes, [&] {
    if (!options || !out) return tell(HONE_INVALID, "options and out must not be NULL", message, message_bytes);
    *out = nullptr;
    const hone_options known = read_struct(options);
    if (!known.state_folder || !*known.state_folder) {
      return tell(HONE_INVALID, "options.state_folder must name a folder (is struct_size set by HONE_OPTIONS_INIT?)",
                  message, message_bytes);
    }
    auto device = open_device(known);
    if (!device) return tell(device.error(), message, message_bytes);
    *out = device->release();
    return HONE_OK;
  });
}

void hone_close(hone_device* h) {
  if (!h) return;
  // The broker's client writes to sockets that the peer may have closed
  const hone::platform::SigpipeGuard sigpipe_guard;
  guarded(nullptr, 0, [&] {
    const auto synced = h->agent->sync();
    delete h;
    return synced ? HONE_OK : number_of(synced.error().code);
  });
}

hone_code hone_observe(hone_device* h, const void* sample, size_t sample_bytes, int32_t label, char* message,
                       size_t message_bytes) {
  return guarded(message, message_bytes, [&] {
    if (!h || (!sample && sample_bytes))
      return tell(HONE_INVALID, "the handle and the sample must not be NULL", message, message_bytes);
    const hone::ByteView bytes(static_cast<const std::uint8_t*>(sample), sample_bytes);
    const auto observed = h->agent->observe({bytes, label, h->clock->now()});
    return observed ? HONE_OK : tell(observed.error(), message, message_bytes);
  });
}

hone_code hone_observe_readings(hone_device* h, const void* readings, size_t readings_bytes, int64_t at_ms,
                                int32_t label, size_t* taken_bytes, int* window_complete, char* message,
                                size_t message_bytes) {
  return guarded(message, message_bytes, [&] {
    if (!h || !taken_bytes || (!readings && readings_bytes))
      return tell(HONE_INVALID, "the handle, the readings and taken_bytes must not be NULL", message, message_bytes);
    *taken_bytes = 0;
    if (window_complete) *window_complete = 0;
    if (at_ms < HONE_NOW || at_ms > kTimeMsMax)
      return tell(HONE_INVALID, "at_ms must be Unix milliseconds, or HONE_NOW", message, message_bytes);
    const hone::ByteView bytes(static_cast<const std::uint8_t*>(readings), readings_bytes);
    const hone::Time at = at_ms == HONE_NOW ? h->clock->now() : hone::from_unix_ms(at_ms);
    const auto taken = h->agent->observe_readings(bytes, label, at);
    if (!taken) return tell(taken.error(), message, message_bytes);
    *taken_bytes = taken->taken_bytes;
    if (window_complete) *window_complete = taken->window_complete ? 1 : 0;
    return taken->not_stored ? tell(*taken->not_stored, message, message_bytes) : HONE_OK;
  });
}

hone_code hone_infer_window(hone_device* h, hone_result* result, float* scores, size_t scores_count, char* message,
                            size_t message_bytes) {
  return guarded(message, message_bytes, [&] {
    if (!h || !result || (!scores && scores_count))
      return tell(HONE_INVALID, "the handle and the result must not be NULL", message, message_bytes);
    return answer(h->agent->infer_window({scores, scores_count}), *result, message, message_bytes);
  });
}

hone_code hone_infer(hone_device* h, const void* sample, size_t sample_bytes, hone_result* result, float* scores,
                     size_t scores_count, char* message, size_t message_bytes) {
  return guarded(message, message_bytes, [&] {
    if (!h || !result || (!sample && sample_bytes) || (!scores && scores_count)) {
      return tell(HONE_INVALID, "the handle, the sample and the result must not be NULL", message, message_bytes);
    }
    const hone::ByteView bytes(static_cast<const std::uint8_t*>(sample), sample_bytes);
    return answer(h->agent->infer(bytes, {scores, scores_count}), *result, message, message_bytes);
  });
}

hone_code hone_step(hone_device* h, uint32_t* sleep_ms) {
  return guarded(nullptr, 0, [&] {
    if (!h) return HONE_INVALID;
    // The broker's client writes to sockets that the peer may have closed
    const hone::platform::SigpipeGuard sigpipe_guard;
    const hone::Duration sleep = h->agent->step(h->clock->now());
    if (sleep_ms)
      *sleep_ms = static_cast<std::uint32_t>(
          std::clamp<std::int64_t>(sleep.count(), 0, std::numeric_limits<std::int32_t>::max()));
    return HONE_OK;
  });
}

hone_code hone_sync(hone_device* h, char* message, size_t message_bytes) {
  return guarded(message, message_bytes, [&] {
    if (!h) return tell(HONE_INVALID, "the handle must not be NULL", message, message_bytes);
    const auto synced = h->agent->sync();
    return synced ? HONE_OK : tell(synced.error(), message, message_bytes);
  });
}

hone_code hone_status(const hone_device* h, hone_device_status* out) {
  return guarded(nullptr, 0, [&] {
    if (!h || !out) return HONE_INVALID;
    const hone::edge::AgentStatus s = h->agent->status();
    hone_device_status status{};
    status.state = static_cast<std::int32_t>(s.state);
    status.enrolled = s.enrolled;
    status.release = s.release.value;
    status.goal_met = s.goal_met;
    status.collecting = s.collect == hone::wire::Collect::all;
    status.rows_spooled = s.spool.rows;
    status.rows_durable = s.spool.rows_durable;
    status.rows_dropped = s.spool.rows_dropped;
    status.rows_uploaded = s.rows_uploaded;
    status.bytes_uploaded = s.bytes_uploaded;
    status.rows_skipped = s.rows_skipped;
    status.rows_refused = s.rows_refused;
    status.inferences = s.inferences;
    status.inference_errors = s.inference_errors;
    status.models_in_memory = static_cast<std::uint32_t>(s.models_in_memory);
    copy_text(status.device, sizeof status.device, s.device.value);
    copy_text(status.update, sizeof status.update, hone::edge::name_of(s.update));
    copy_text(status.error, sizeof status.error, s.error);
    write_struct(out, status);
    return HONE_OK;
  });
}

}  // extern "C"
