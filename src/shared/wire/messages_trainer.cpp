// What the cloud and a trainer say to each other.
#include <utility>

#include "shared/wire/fields.hpp"
#include "shared/wire/messages.hpp"

namespace hone::wire {
namespace {

constexpr std::size_t kTomlBytesMax = std::size_t{256} * 1024;  // as kPipelineBytesMax
constexpr std::size_t kLineageBytesMax = std::size_t{256} * 1024;

}  // namespace

std::string_view name_of(JobKind kind) {
  return kind == JobKind::evaluate ? "evaluate" : "train";
}

Result<JobKind> job_kind_from(std::string_view name) {
  for (const JobKind kind : {JobKind::train, JobKind::evaluate})
    if (name == name_of(kind)) return kind;
  return fail(Code::invalid, "a job's kind is \"train\" or \"evaluate\"; a newer cloud needs a newer trainer");
}

Json to_json(const Job& job) {
  Json json{{"id", job.id.value},
            {"kind", name_of(job.kind)},
            {"pipeline", job.pipeline.value},
            {"pipeline_toml", job.pipeline_toml},
            {"dataset", job.dataset.hex()},
            {"seed", job.seed},
            {"lease_ms", job.lease.count()},
            {"reason", clip(job.reason, kTextBytesMax)}};
  if (job.base) json["base"] = job.base->hex();
  if (job.base_release.value != 0) json["base_release"] = job.base_release.value;
  if (job.candidate) json["candidate"] = job.candidate->hex();
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
  if (fields.has("base_release")) fields.release("base_release", job.base_release);
  if (fields.has("kind")) {  // an older cloud does not say it
    std::string kind;
    fields.text("kind", kind, kTextBytesMax);
    if (!fields.failed()) fields.take(job_kind_from(kind), job.kind);
  }
  if (job.kind == JobKind::evaluate) fields.digest("candidate", job.candidate.emplace());
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
  read_figure(fields, "loss", point.loss);
  read_figure(fields, "validation_metric", point.validation_metric);
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

std::vector<BlobHash> TrainedModel::all_blobs() const {
  std::vector<BlobHash> all = blobs();
  if (fallback)
    for (const BlobHash& blob : fallback->blobs()) all.push_back(blob);
  return all;
}

Json to_json(const TrainedModel& trained) {
  Json json = to_json(static_cast<const ModelFiles&>(trained));
  json["seconds_train"] = trained.seconds_train;
  json["lineage"] = trained.lineage;
  if (trained.fallback) json["fallback"] = to_json(*trained.fallback);
  return json;
}

Result<TrainedModel> trained_model_from(const Json& json) {
  TrainedModel trained;
  Fields fields("trained model", json);
  read_model_files(fields, trained);
  if (fields.has("fallback")) {
    if (const Json* fallback = fields.object("fallback"))
      fields.take(model_files_from(*fallback), trained.fallback.emplace());
  }
  fields.number("seconds_train", trained.seconds_train, 0, 1e9);
  if (const Json* lineage = fields.object("lineage")) {
    if (dump_bytes(*lineage).size() > kLineageBytesMax)
      fields.fail_key("lineage", "is longer than 262144 bytes");
    else
      trained.lineage = *lineage;
  }
  return fields.finish(std::move(trained));
}

Json to_json(const EvaluatedModels& evaluated) {
  Json json{{"candidate", evaluated.candidate.hex()}, {"seconds", evaluated.seconds}};
  if (evaluated.base) json["base"] = evaluated.base->hex();
  return json;
}

Result<EvaluatedModels> evaluated_models_from(const Json& json) {
  EvaluatedModels evaluated;
  Fields fields("evaluated models", json);
  fields.digest("candidate", evaluated.candidate);
  if (fields.has("base")) fields.digest("base", evaluated.base.emplace());
  fields.number("seconds", evaluated.seconds, 0, 1e9);
  return fields.finish(std::move(evaluated));
}

}  // namespace hone::wire
