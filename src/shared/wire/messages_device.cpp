// The device's control loop: offers, outcomes, and the answer to a batch.
#include <utility>

#include "shared/wire/fields.hpp"
#include "shared/wire/messages.hpp"

namespace hone::wire {
namespace {

void collect(Fields& fields, Collect& out) {
  std::string name;
  fields.text("collect", name, 16);
  if (fields.failed()) return;
  if (name == name_of(Collect::all))
    out = Collect::all;
  else if (name == name_of(Collect::none))
    out = Collect::none;
  else
    fields.fail_key("collect", "must be \"all\" or \"none\"");
}

}  // namespace

std::string_view name_of(Collect collect) {
  return collect == Collect::all ? "all" : "none";
}

std::string_view name_of(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::confirmed: return "confirmed";
    case OutcomeKind::reverted: return "reverted";
    case OutcomeKind::refused: return "refused";
  }
  return "";
}

Result<OutcomeKind> outcome_kind_from(std::string_view name) {
  for (const OutcomeKind kind : {OutcomeKind::confirmed, OutcomeKind::reverted, OutcomeKind::refused})
    if (name == name_of(kind)) return kind;
  return fail(Code::invalid, "an outcome is \"confirmed\", \"reverted\" or \"refused\"");
}

Json to_json(const Offer& offer) {
  Json json{{"pipeline", offer.pipeline.value},
          {"signal", to_json(offer.signal)},
          {"release", offer.release.value},
          {"goal_met", offer.goal_met},
          {"collect", std::string(name_of(offer.collect))},
          {"flush_after_ms", offer.flush_after.count()},
          {"daily_bytes", offer.daily_bytes},
          {"check_every_ms", offer.check_every.count()}};
  if (offer.stream) json["stream"] = to_json(*offer.stream);
  return json;
}

Result<Offer> offer_from(const Json& json) {
  Offer offer;
  Fields fields("offer", json);
  fields.pipeline("pipeline", offer.pipeline);
  if (const Json* signal = fields.object("signal")) fields.take(signal_from(*signal), offer.signal);
  if (fields.has("stream")) {
    if (const Json* stream = fields.object("stream")) fields.take(stream_from(*stream), offer.stream.emplace());
    if (!fields.failed())
      if (auto fits = check(*offer.stream, offer.signal); !fits) fields.fail_with(std::move(fits).error());
  }
  fields.release("release", offer.release);
  fields.flag("goal_met", offer.goal_met);
  collect(fields, offer.collect);
  fields.duration("flush_after_ms", offer.flush_after);
  fields.integer("daily_bytes", offer.daily_bytes, 0, kCountMax);
  fields.duration("check_every_ms", offer.check_every);
  return fields.finish(std::move(offer));
}

Json to_json(const Outcome& outcome) {
  return {{"release", outcome.release.value},
          {"kind", std::string(name_of(outcome.kind))},
          {"reason", clip(outcome.reason, kTextBytesMax)},
          {"by_delta", outcome.by_delta},
          {"fetched_bytes", outcome.fetched_bytes},
          {"live_at_ms", unix_ms(outcome.live_at)},
          {"inferences", outcome.inferences},
          {"errors", outcome.errors}};
}

Result<Outcome> outcome_from(const Json& json) {
  Outcome outcome;
  Fields fields("outcome", json);
  fields.release("release", outcome.release);
  if (!fields.failed() && outcome.release.value == 0) fields.fail_key("release", "must be 1 or more");
  std::string kind;
  fields.text("kind", kind, 16);
  if (!fields.failed()) fields.take(outcome_kind_from(kind), outcome.kind);
  if (fields.has("reason")) fields.text("reason", outcome.reason, kTextBytesMax);
  fields.flag("by_delta", outcome.by_delta);
  fields.count("fetched_bytes", outcome.fetched_bytes);
  fields.time("live_at_ms", outcome.live_at);
  fields.count("inferences", outcome.inferences);
  fields.count("errors", outcome.errors);
  return fields.finish(std::move(outcome));
}

Json to_json(const BatchReply& reply) {
  return {{"stored", reply.stored}, {"duplicate", reply.duplicate}, {"collect", std::string(name_of(reply.collect))}};
}

Result<BatchReply> batch_reply_from(const Json& json) {
  BatchReply reply;
  Fields fields("batch reply", json);
  fields.integer("stored", reply.stored, 0, kCountMax);
  fields.flag("duplicate", reply.duplicate);
  collect(fields, reply.collect);
  return fields.finish(reply);
}

}  // namespace hone::wire
