// What step() does. One pass: the disk, the trial, then at most one thing over the network.
#include <algorithm>
#include <string>
#include <utility>

#include "edge/agent/device_agent.hpp"
#include "edge/agent/enroll.hpp"
#include "edge/upload/governor.hpp"
#include "edge/upload/upload.hpp"

namespace hone::edge {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kAttentive = milliseconds(100);  // while hints or samples may come at any moment
constexpr Duration kCalm = seconds(1);
constexpr Duration kSafetyNet = seconds(30);   // polls while there is something to learn
constexpr Duration kFlushAfter = seconds(10);  // until an offer says it

}  // namespace

Duration DeviceAgent::step(Time now) {
  // A clock that was set back would put every deadline into the far future.
  if (now < last_step_) next_.fill(now);
  last_step_ = now;

  flush(now);
  watch(now);
  if (hints_ && hints_->poll()) {
    offer_wanted_ = true;
    if (backoff_[kOffer].failures() == 0) next_[kOffer] = now;
  }
  if (wants(kEnroll)) {
    if (due(kEnroll, now)) do_enroll(now);
  } else if (due(kOffer, now)) {
    do_offer(now);
  } else if (wants(kUpdate) && due(kUpdate, now)) {
    do_update(now);
  } else if (wants(kOutcome) && due(kOutcome, now)) {
    do_outcome(now);
  } else if (wants(kUpload) && due(kUpload, now)) {
    do_upload(now);
  }
  show();
  return rest(now);
}

bool DeviceAgent::wants(Job job) const {
  switch (job) {
    case kEnroll: return !device_.credential;
    case kUpdate: return update_ && in_progress(update_state_);
    case kOutcome: return !device_.outcomes.empty();
    case kUpload: return device_.offer && collect_ == wire::Collect::all && spool_->oldest();
    default: return true;
  }
}

// How long until there is something to do again.
Duration DeviceAgent::rest(Time now) const {
  const bool attentive = hints_ || collect_ == wire::Collect::all || device_.trial;
  Duration wait = attentive ? kAttentive : kCalm;
  for (const Job job : {kEnroll, kOffer, kUpdate, kOutcome, kUpload}) {
    if (job != kEnroll && wants(kEnroll)) break;
    if (wants(job)) wait = std::min(wait, std::max(Duration(0), next_[job] - now));
  }
  return wait;
}

void DeviceAgent::failed(Job job, const Error& error, Time now) {
  next_[job] = now + backoff_[job].failed(random_);
  error_[job] = error.context;
}

void DeviceAgent::succeeded(Job job) {
  backoff_[job].succeeded();
  error_[job].clear();
}

// ---- local work -------------------------------------------------------------------------------

void DeviceAgent::flush(Time now) {
  if (!due(kDisk, now)) return;
  const Duration after = device_.offer ? device_.offer->flush_after : kFlushAfter;
  if (auto flushed = spool_->flush(now, after, print_); !flushed) {
    failed(kDisk, flushed.error().within("spool"), now);
  } else {
    succeeded(kDisk);
  }
}

void DeviceAgent::watch(Time now) {
  slot_.collect();
  if (!device_.trial || !live_) return;
  const TrialFacts facts{live_->inferences, live_->errors, std::max(Duration(0), now - device_.trial->live_at), 0};
  const TrialVerdict verdict = judge(options_.trial, facts);
  if (verdict.judgement == Judgement::wait) return;
  if (verdict.judgement == Judgement::revert) {
    // The way back must be loaded: not before the model that the trial replaced has left memory.
    if (slot_.has_room()) revert(verdict.reason, now);
    return;
  }
  DeviceFile next = device_;
  const Trial& trial = *device_.trial;
  remember_outcome(next, {device_.installed->release,
                          wire::OutcomeKind::confirmed,
                          {},
                          trial.by_delta,
                          trial.fetched_bytes,
                          trial.live_at,
                          facts.inferences,
                          facts.errors});
  next.trial.reset();
  std::swap(device_, next);
  if (auto saved = save(); !saved) {
    std::swap(device_, next);  // still on trial: the next step judges again
    error_[kDisk] = saved.error().context;
    return;
  }
  update_state_ = next_state(update_state_, UpdateEvent::proved);
  update_.reset();
  offer_wanted_ = true;
  next_[kOutcome] = now;
}

// Back to the model before. What is to be is stored first: a power cut in between boots into it.
void DeviceAgent::revert(const std::string& reason, Time now) {
  DeviceFile next = device_;
  const Trial trial = device_.trial.value_or(Trial{});
  const ReleaseSeq bad = device_.installed->release;
  remember_outcome(next, {bad, wire::OutcomeKind::reverted, reason, trial.by_delta, trial.fetched_bytes, trial.live_at,
                          live_ ? live_->inferences.load() : 0, live_ ? live_->errors.load() : 0});
  remember_refused(next, bad);
  next.installed = std::exchange(next.previous, std::nullopt);
  next.trial.reset();
  std::unique_ptr<LiveModel> model;
  if (next.installed) {
    auto loaded = load(*next.installed);
    if (loaded) {
      model = std::move(*loaded);
    } else {
      next.installed.reset();
      error_[kUpdate] =
          "the model before release " + std::to_string(bad.value) + " was lost: " + loaded.error().context;
    }
  }
  std::swap(device_, next);
  if (auto saved = save(); !saved) {
    std::swap(device_, next);
    error_[kDisk] = saved.error().context;
    if (live_) return;         // the next step tries again
    std::swap(device_, next);  // at boot: go on with the model before, the next boot decides again
  }
  live_ = model.get();
  if (model) {
    if (auto published = slot_.publish(std::move(model)); !published) {
      live_ = nullptr;
      slot_.withdraw();
    }
  } else {
    slot_.withdraw();
  }
  update_state_ = next_state(UpdateState::live, UpdateEvent::failed);
  update_.reset();
  if (device_.installed) {
    went_live();
  } else {
    state_ = next_state(state_, DeviceEvent::lost_model);
  }
  next_[kOutcome] = now;
}

// ---- the network ------------------------------------------------------------------------------

void DeviceAgent::do_enroll(Time now) {
  const auto client = ports_.connect(device_.ticket, {});
  auto credential = enroll(*client, device_.ticket, device_.nonce);
  if (!credential) {
    failed(kEnroll, credential.error(), now);
    // A refused token does not become better by asking.
    if (credential.error().code == Code::untrusted) next_[kEnroll] = now + between(minutes(30), hours(1), random_);
    return;
  }
  device_.credential = std::move(*credential);
  if (auto saved = save(); !saved) {
    device_.credential.reset();  // asked again with the same nonce
    failed(kEnroll, saved.error(), now);
    return;
  }
  succeeded(kEnroll);
  next_[kOffer] = now;
}

void DeviceAgent::do_offer(Time now) {
  if (!cloud_) cloud_ = ports_.connect(device_.ticket, authorization_of(*device_.credential));
  if (!hints_ && ports_.listen && !device_.credential->mqtt_host.empty()) {
    hints_ = ports_.listen(device_.ticket, *device_.credential);
  }
  HttpRequest request;
  request.path = "/v1/offer?running=" + std::to_string(live_ ? live_->release().value : 0) +
                 "&state=" + std::string(name_of(state_)) + "&spooled=" + std::to_string(spool_->status().rows);
  HttpClient::Limits limits;
  limits.timeout = kControlTimeout;
  limits.response_bytes_max = 1u << 20;  // thousands of labels
  const auto offer = [&]() -> Result<wire::Offer> {
    HONE_TRY(const HttpResponse response, cloud_->send(request, limits));
    if (!response.ok()) return fail(error_of(response));
    HONE_TRY(const Json json, parse_json(response.body));
    HONE_TRY(auto parsed, wire::offer_from(json));
    HONE_CHECK(wire::check(parsed.signal));
    if (parsed.pipeline != device_.credential->pipeline) return fail(Code::invalid, "it is for another pipeline");
    return parsed;
  }();
  if (!offer) {
    failed(kOffer, offer.error().within("ask for the offer"), now);
    return;
  }
  succeeded(kOffer);
  offer_wanted_ = false;
  const bool changed = !device_.offer || wire::to_json(*device_.offer) != wire::to_json(*offer);
  device_.offer = *offer;
  heard(*offer);
  consider(*offer);
  if (changed) {
    if (auto saved = save(); !saved) error_[kDisk] = saved.error().context;
  }

  // Beside the hints: rarely, and more often while there is something to learn.
  Duration wait = offer->check_every > Duration(0) ? offer->check_every : hours(24 * 365);
  if (state_ != DeviceState::autonomous) wait = std::min(wait, kSafetyNet);
  next_[kOffer] = now + between(wait * 9 / 10, wait, random_);
}

// Desired state: converge to what is offered.
void DeviceAgent::consider(const wire::Offer& offer) {
  if (device_.installed && offer.release == device_.installed->release) {
    if (device_.installed->goal_met != offer.goal_met) {
      device_.installed->goal_met = offer.goal_met;
      went_live();
    }
    return;
  }
  if (offer.release.value == 0 || device_.trial) return;
  if (std::find(device_.refused.begin(), device_.refused.end(), offer.release) != device_.refused.end()) return;
  if (offer.release < device_.highest) {
    error_[kUpdate] = "release " + std::to_string(offer.release.value) + " was offered, but release " +
                      std::to_string(device_.highest.value) + " was installed here: nothing older is taken";
    return;
  }
  if (update_ && in_progress(update_state_) && update_->release() == offer.release) return;
  update_.emplace(UpdatePorts{ports_.files, ports_.runtime, *repository_, slot_, options_.folder, device_.ticket.format},
                  device_.credential->pipeline, offer.release, device_.installed, device_.previous);
  backoff_[kUpdate].succeeded();
  next_[kUpdate] = last_step_;
  update_state_ = next_state(update_state_, UpdateEvent::offer);
}

void DeviceAgent::do_update(Time now) {
  if (!cloud_) return;
  if (update_state_ == UpdateState::tested) {
    go_live(now);
    return;
  }
  const auto event = update_->advance(update_state_, *cloud_, now);
  if (event) {
    update_state_ = next_state(update_state_, *event);
    error_[kUpdate].clear();
    if (*event != UpdateEvent::nothing) backoff_[kUpdate].succeeded();
    if (*event == UpdateEvent::nothing && update_state_ == UpdateState::patched)
      next_[kUpdate] = now + kAttentive;  // two models
    return;
  }
  const Error error = event.error().within("install release " + std::to_string(update_->release().value));
  switch (error.code) {
    case Code::unavailable:
    case Code::no_space:
    case Code::not_found: failed(kUpdate, error, now); return;
    case Code::damaged:
      // Wrong bytes on the way are the network's fault: they are fetched again, less and less often, and the
      // release is not blamed (a refusal may halt its rollout). A model that fails its self-test is refused.
      if (update_state_ != UpdateState::patched) {
        failed(kUpdate, error, now);
        return;
      }
      refuse_update(error, true, now);
      return;
    case Code::untrusted:
    case Code::older_than_installed: refuse_update(error, false, now); return;
    default: refuse_update(error, true, now); return;
  }
}

// Not `for_good`: the fault may be in the repository or in this device's clock, so the release is
// looked at again when it is offered again.
void DeviceAgent::refuse_update(const Error& error, bool for_good, Time now) {
  remember_outcome(device_, {update_->release(), wire::OutcomeKind::refused, error.context, update_->by_delta(),
                             update_->fetched_bytes(), now, 0, 0});
  if (for_good) remember_refused(device_, update_->release());
  if (auto saved = save(); !saved) error_[kDisk] = saved.error().context;
  update_state_ = next_state(update_state_, UpdateEvent::refuse);
  update_.reset();
  error_[kUpdate] = error.context;
  next_[kOutcome] = now;
}

// The state file is written before the model answers: a power cut before it boots the old model, one
// after it the new one, both whole on disk.
void DeviceAgent::go_live(Time now) {
  if (!slot_.has_room()) {
    next_[kUpdate] = now + kAttentive;
    return;
  }
  DeviceFile next = device_;
  next.previous = device_.installed;
  next.installed = update_->installed();
  next.trial = Trial{0, now, update_->by_delta(), update_->fetched_bytes()};
  next.highest = std::max(next.highest, next.installed->release);
  std::swap(device_, next);
  if (auto saved = save(); !saved) {
    std::swap(device_, next);
    failed(kUpdate, saved.error(), now);
    return;
  }
  auto model = update_->take_model();
  const LiveModel* live = model.get();
  if (auto published = slot_.publish(std::move(model)); published) live_ = live;  // has_room() said yes
  update_state_ = next_state(update_state_, UpdateEvent::went_live);
  succeeded(kUpdate);
  went_live();
}

void DeviceAgent::do_outcome(Time now) {
  if (!cloud_) return;
  HttpRequest request;
  request.method = "POST";
  request.path = "/v1/outcomes";
  request.headers["content-type"] = "application/json";
  request.body = dump_bytes(wire::to_json(device_.outcomes.front()));
  HttpClient::Limits limits;
  limits.timeout = kControlTimeout;
  const auto response = cloud_->send(request, limits);
  if (!response) {
    failed(kOutcome, response.error().within("report the outcome"), now);
    return;
  }
  if (!response->ok()) {
    const Error error = error_of(*response).within("report the outcome");
    // One that the cloud will never take must not stand in the way of the next.
    if (error.code != Code::invalid) {
      failed(kOutcome, error, now);
      return;
    }
    error_[kOutcome] = error.context;
  } else {
    succeeded(kOutcome);
  }
  device_.outcomes.erase(device_.outcomes.begin());
  if (auto saved = save(); !saved) error_[kDisk] = saved.error().context;
  if (offer_wanted_) next_[kOffer] = now;  // the fleet may move on
}

void DeviceAgent::do_upload(Time now) {
  const auto sealed = spool_->oldest();
  if (!cloud_ || !sealed) return;
  const auto segment = spool_->read(*sealed);
  if (!segment) {
    // Gone meanwhile, or rotten: it cannot be sent. A disk that does not answer is another matter.
    if (segment.error().code == Code::unavailable) {
      failed(kUpload, segment.error(), now);
    } else {
      drop_segment(*sealed, sealed->rows);
    }
    return;
  }
  auto batch = batch_of(*segment, device_.credential->device, device_.credential->pipeline, device_.offer->signal);
  if (!batch || batch->rows == 0) {
    drop_segment(*sealed, sealed->rows);
    return;
  }
  const auto bytes = static_cast<std::int64_t>(batch->body.size());
  if (may_send(collect_, device_.offer->daily_bytes, device_.sent, bytes, now) == Permission::tomorrow) {
    next_[kUpload] = from_unix_ms((day_of(now) + 1) * Duration(hours(24)).count());
    return;
  }
  const auto reply = send_batch(*cloud_, device_.credential->pipeline, std::move(batch->body));
  if (!reply) {
    if (reply.error().code == Code::invalid) {  // it will never be taken
      error_[kUpload] = reply.error().context;
      drop_segment(*sealed, sealed->rows);
    } else {
      failed(kUpload, reply.error(), now);
    }
    return;
  }
  succeeded(kUpload);
  if (auto removed = spool_->remove(*sealed); !removed) error_[kDisk] = removed.error().context;
  rows_uploaded_ += batch->rows;
  rows_refused_ += batch->rows_refused;
  bytes_uploaded_ += static_cast<std::uint64_t>(bytes);
  device_.sent = sent(device_.sent, bytes, now);
  const bool stop = reply->collect != collect_;
  if (stop) set_collect(reply->collect);
  if (stop || device_.offer->daily_bytes > 0) {
    if (auto saved = save(); !saved) error_[kDisk] = saved.error().context;
  }
}

void DeviceAgent::set_collect(wire::Collect collect) {
  device_.offer->collect = collect;
  collect_ = collect;
}

void DeviceAgent::drop_segment(const SealedSegment& segment, std::uint64_t rows_refused) {
  rows_refused_ += rows_refused;
  if (auto removed = spool_->remove(segment); !removed) error_[kDisk] = removed.error().context;
}

}  // namespace hone::edge
