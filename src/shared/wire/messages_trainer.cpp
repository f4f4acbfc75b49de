// What the cloud and a trainer say to each other.
#include <cmath>
#include <utility>

#include "shared/wire/fields.hpp"
#include "shared/wire/messages.hpp"

namespace hone::wire {
namespace {

constexpr std::size_t kTomlBytesMax = std::size_t{256} * 1024;  // as kPipelineBytesMax
constexpr std::size_t kLineageBytesMax = std::size_t{256} * 1024;
constexpr double kFigureMax = 1e300;

// JSON has no NaN and no infinity: a loss that blew up travels as null.
Json figure(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

void figure(Fields& fields, std::string_view key, double& out) {
  if (fields.has(key))
    fields.number(key, out, -kFigureMax, kFigureMax);
  else
    out = std::nan("");
}

}  // namespace

Json to_json(const Job& job) {
  Json json{{"id", job.id.value},
            {"pipeline", job.pipeline.value},
            {"pipeline_toml", job.pipeline_toml},
            {"dataset", job.dataset.hex()},
            {"seed", job.seed},
            {"lease_ms", job.lease.count()},
            {"reason", clip(job.reason, kTextBytesMax)}};
  if (job.base) json["base"] = job.base->hex();
  return json;
}

Result<Job> job_from(const Json& json) {
  Job job;
  Fields fields("job", json);
  fields.name("id", job.id);
  if (!fields.failed() && !is_plain_name(job.id.value)) fields.fail_key("id", "must be a plain name");
  fields.pipeline("pipeline", job.pipeline);
  fields.text("pipeline_toml", job.pipeline_toml, kTomlBytesMax);
  fields.digest("dataset", job.dataset);
  if (fields.has("base")) fields.digest("base", job.base.emplace());
  fields.any_u64("seed", job.seed);
  fields.duration("lease_ms", job.lease);
  if (fields.has("reason")) fields.text("reason", job.reason, kTextBytesMax);
  return fields.finish(std::move(job));
}

Json to_json(const ProgressPoint& point) {
  return {{"progress", point.progress},
          {"epoch", point.epoch},
          {"loss", figure(point.loss)},
          {"validation_metric", figure(point.validation_metric)}};
}

Result<ProgressPoint> progress_point_from(const Json& json) {
  ProgressPoint point;
  Fields fields("progress", json);
  fields.number("progress", point.progress, 0, 1);
  fields.integer("epoch", point.epoch, 0, kCountMax);
  figure(fields, "loss", point.loss);
  figure(fields, "validation_metric", point.validation_metric);
  return fields.finish(point);
}

Json to_json(const HeartbeatReply& reply) {
  return {{"cancel", reply.cancel}};
}

Result<HeartbeatReply> heartbeat_reply_from(const Json& json) {
  HeartbeatReply reply;
  Fields fields("heartbeat reply", json);
  fields.flag("cancel", reply.cancel);
  return fields.finish(reply);
}

Json to_json(const TrainedModel& trained) {
  return {{"model", trained.model.hex()},
          {"seconds_train", trained.seconds_train},
          {"validation_metric", figure(trained.validation_metric)},
          {"lineage", trained.lineage}};
}

Result<TrainedModel> trained_model_from(const Json& json) {
  TrainedModel trained;
  Fields fields("trained model", json);
  fields.digest("model", trained.model);
  fields.number("seconds_train", trained.seconds_train, 0, 1e9);
  figure(fields, "validation_metric", trained.validation_metric);
  if (const Json* lineage = fields.object("lineage")) {
    if (dump_bytes(*lineage).size() > kLineageBytesMax)
      fields.fail_key("lineage", "is longer than 262144 bytes");
    else
      trained.lineage = *lineage;
  }
  return fields.finish(std::move(trained));
}

}  // namespace hone::wire
