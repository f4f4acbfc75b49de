#include "shared/wire/messages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace hone::wire {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Signal signal() {
  return {{4}, DType::int8, 2.0, {"off", "on"}};
}

template <class T>
Json over_the_wire(const T& value) {
  return parse_json(dump_bytes(to_json(value))).value();
}

Job example_job() {
  Job job;
  job.id = JobId("job-3");
  job.pipeline = PipelineName("digits");
  job.pipeline_toml = "[pipeline]\nname = \"digits\"\n";
  job.dataset = {sha256(as_bytes("data"))};
  job.base = ModelHash{sha256(as_bytes("base"))};
  job.base_release = ReleaseSeq{4};
  job.seed = 18446744073709551615u;
  job.lease = std::chrono::seconds(15);
  job.reason = "36000 new samples";
  return job;
}

TEST(Messages, TicketAndEnrolmentSurvive) {
  const Ticket ticket{"https://127.0.0.1:8443", "-----BEGIN", PipelineName("digits"), "tok", R"({"signed":{}})"};
  const auto ticket_back = ticket_from(over_the_wire(ticket));
  ASSERT_TRUE(ticket_back) << ticket_back.error().context;
  EXPECT_EQ(ticket_back->root_json, ticket.root_json);
  EXPECT_EQ(ticket_back->ca_pem, ticket.ca_pem);

  const auto request = enroll_request_from(over_the_wire(EnrollRequest{"tok", std::string(32, 'a')}));
  ASSERT_TRUE(request) << request.error().context;
  EXPECT_EQ(request->nonce, std::string(32, 'a'));
  EXPECT_EQ(enroll_request_from(over_the_wire(EnrollRequest{"tok", ""}))->nonce, "");

  const EnrollReply reply{DeviceId("dev-1"), "secret", PipelineName("digits"), "127.0.0.1", 8883};
  const auto reply_back = enroll_reply_from(over_the_wire(reply));
  ASSERT_TRUE(reply_back) << reply_back.error().context;
  EXPECT_EQ(reply_back->mqtt_port, 8883);
  EXPECT_EQ(reply_back->device, reply.device);

  const auto access = access_file_from(over_the_wire(AccessFile{"http://[::1]:1", "", "token"}));
  ASSERT_TRUE(access) << access.error().context;
  EXPECT_EQ(access->token, "token");
}

TEST(Messages, OfferSurvives) {
  Offer offer{PipelineName("digits"), signal(),       ReleaseSeq{4}, true,
              Collect::none,          Duration(1500), 1 << 20,       Duration(86'400'000), std::nullopt};
  const auto back = offer_from(over_the_wire(offer));
  ASSERT_TRUE(back) << back.error().context;
  EXPECT_EQ(back->signal, offer.signal);
  EXPECT_EQ(back->release, offer.release);
  EXPECT_TRUE(back->goal_met);
  EXPECT_EQ(back->collect, Collect::none);
  EXPECT_EQ(back->flush_after, offer.flush_after);
  EXPECT_EQ(back->daily_bytes, offer.daily_bytes);
  EXPECT_EQ(back->check_every, offer.check_every);
  EXPECT_FALSE(back->stream);
  offer.stream = Stream{4, 1, 100};
  EXPECT_EQ(offer_from(over_the_wire(offer))->stream, offer.stream);
  offer.stream = Stream{5, 1, 100};  // the signal's windows have four readings
  EXPECT_THAT(offer_from(over_the_wire(offer)).error().context, HasSubstr("[channels, window]"));
}

TEST(Messages, OutcomeSurvivesForEveryKind) {
  for (const OutcomeKind kind : {OutcomeKind::confirmed, OutcomeKind::reverted, OutcomeKind::refused}) {
    const Outcome outcome{ReleaseSeq{2}, kind, "why", true, 1234, from_unix_ms(1'700'000'000'123), 55, 1};
    const auto back = outcome_from(over_the_wire(outcome));
    ASSERT_TRUE(back) << back.error().context;
    EXPECT_EQ(back->kind, kind);
    EXPECT_EQ(back->live_at, outcome.live_at);
    EXPECT_EQ(back->fetched_bytes, 1234u);
    EXPECT_EQ(back->inferences, 55u);
    EXPECT_TRUE(back->by_delta);
  }
}

TEST(Messages, ALongReasonIsCutBetweenCharactersRatherThanRefused) {
  Outcome outcome;
  outcome.release = ReleaseSeq{1};
  for (int i = 0; i < 200; ++i) outcome.reason += "\u20ac";  // three bytes each: 512 falls inside one
  const auto back = outcome_from(over_the_wire(outcome));
  ASSERT_TRUE(back) << back.error().context;
  EXPECT_EQ(back->reason.size(), 510u);
  EXPECT_THAT(back->reason, Not(HasSubstr("\uFFFD")));
}

TEST(Messages, JobSurvivesWithAndWithoutABase) {
  Job job = example_job();
  auto back = job_from(over_the_wire(job));
  ASSERT_TRUE(back) << back.error().context;
  EXPECT_EQ(back->seed, job.seed);
  EXPECT_EQ(back->base, job.base);
  EXPECT_EQ(back->base_release, job.base_release);
  EXPECT_EQ(back->dataset, job.dataset);
  EXPECT_EQ(back->pipeline_toml, job.pipeline_toml);
  EXPECT_EQ(back->lease, job.lease);
  job.base.reset();
  back = job_from(over_the_wire(job));
  ASSERT_TRUE(back);
  EXPECT_FALSE(back->base);
}

TEST(Messages, EvaluationJobNamesBothModels) {
  Job job = example_job();
  job.kind = JobKind::evaluate;
  job.candidate = ModelHash{sha256(as_bytes("candidate"))};
  const auto back = job_from(over_the_wire(job));
  ASSERT_TRUE(back) << back.error().context;
  EXPECT_EQ(back->kind, JobKind::evaluate);
  EXPECT_EQ(back->candidate, job.candidate);
  EXPECT_EQ(back->base, job.base);
  Json json = to_json(job);
  json.erase("candidate");
  EXPECT_THAT(job_from(json).error().context, HasSubstr("\"candidate\""));
  json = to_json(example_job());
  json.erase("kind");  // an older cloud
  EXPECT_EQ(job_from(json)->kind, JobKind::train);
  json["kind"] = "paint";
  EXPECT_THAT(job_from(json).error().context, HasSubstr("a newer cloud needs a newer trainer"));
}

TEST(Messages, EvaluatedModelsSurviveWithAndWithoutABase) {
  EvaluatedModels evaluated{{sha256(as_bytes("c"))}, BlobHash{sha256(as_bytes("d"))}, 1.5};
  auto back = evaluated_models_from(over_the_wire(evaluated));
  ASSERT_TRUE(back) << back.error().context;
  EXPECT_EQ(back->candidate, evaluated.candidate);
  EXPECT_EQ(back->base, evaluated.base);
  EXPECT_EQ(back->seconds, 1.5);
  evaluated.base.reset();
  back = evaluated_models_from(over_the_wire(evaluated));
  ASSERT_TRUE(back);
  EXPECT_FALSE(back->base);
}

TEST(Messages, ProgressSurvivesALossThatBlewUp) {
  const ProgressPoint point{0.5, 3, std::numeric_limits<double>::infinity(), 0.75};
  const auto back = progress_point_from(over_the_wire(point));
  ASSERT_TRUE(back) << back.error().context;
  EXPECT_TRUE(std::isnan(back->loss));
  EXPECT_EQ(back->validation_metric, 0.75);
  EXPECT_FALSE(progress_point_from({{"progress", 1.5}, {"epoch", 1}}));
}

TEST(Messages, ATicketSaysWhichFormatItsDeviceRuns) {
  Ticket ticket{"https://127.0.0.1:8443", "-----BEGIN", PipelineName("digits"), "tok", R"({"signed":{}})"};
  EXPECT_FALSE(to_json(ticket).contains("format"));
  EXPECT_EQ(ticket_from(over_the_wire(ticket))->format, "onnx");
  ticket.format = "onnx-int8";
  EXPECT_EQ(ticket_from(over_the_wire(ticket))->format, "onnx-int8");
  ticket.format = "../x";
  EXPECT_THAT(ticket_from(over_the_wire(ticket)).error().context, HasSubstr("'format'"));
}

TEST(Messages, TrainedModelAndShortRepliesSurvive) {
  TrainedModel trained;
  trained.model = {sha256(as_bytes("m"))};
  trained.seconds_train = 12.5;
  trained.validation_metric = 0.99;
  trained.lineage = {{"seed", 7}};
  const auto back = trained_model_from(over_the_wire(trained));
  ASSERT_TRUE(back) << back.error().context;
  EXPECT_EQ(back->lineage, trained.lineage);
  EXPECT_EQ(back->seconds_train, 12.5);
  EXPECT_TRUE(heartbeat_reply_from(over_the_wire(HeartbeatReply{true}))->cancel);
  const auto reply = batch_reply_from(over_the_wire(BatchReply{64, true, Collect::none}));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->stored, 64);
  EXPECT_TRUE(reply->duplicate);
  EXPECT_EQ(reply->collect, Collect::none);
}

TEST(Messages, TrainedModelCarriesItsExportsHintsAndFallback) {
  TrainedModel trained;
  trained.model = {sha256(as_bytes("m"))};
  trained.exports = {{"onnx-int8", {sha256(as_bytes("m8"))}}};
  trained.hints = BlobHash{sha256(as_bytes("hints"))};
  trained.fallback.emplace();
  trained.fallback->model = {sha256(as_bytes("free"))};
  trained.fallback->exports = {{"onnx-int8", {sha256(as_bytes("free8"))}}};
  trained.fallback->validation_metric = 0.5;
  const auto back = trained_model_from(over_the_wire(trained));
  ASSERT_TRUE(back) << back.error().context;
  EXPECT_EQ(back->exports, trained.exports);
  EXPECT_EQ(back->hints, trained.hints);
  ASSERT_TRUE(back->fallback);
  EXPECT_EQ(back->fallback->exports, trained.fallback->exports);
  EXPECT_EQ(back->fallback->validation_metric, 0.5);
  EXPECT_FALSE(back->fallback->hints);
  EXPECT_EQ(back->all_blobs().size(), 5U);
}

TEST(Messages, TrainedModelOfAnOlderTrainerHasOneFile) {
  const Json old{{"model", sha256(as_bytes("m")).hex()}, {"seconds_train", 1}, {"lineage", Json::object()}};
  const auto back = trained_model_from(old);
  ASSERT_TRUE(back) << back.error().context;
  EXPECT_TRUE(back->exports.empty());
  EXPECT_FALSE(back->hints);
  EXPECT_FALSE(back->fallback);
  EXPECT_EQ(back->all_blobs().size(), 1U);
}

TEST(Messages, TrainedModelsExportsAreBounded) {
  const std::string hash = sha256(as_bytes("m")).hex();
  const auto refusal = [&](Json exports) {
    const Json json{
        {"model", hash}, {"seconds_train", 1}, {"lineage", Json::object()}, {"exports", std::move(exports)}};
    const auto back = trained_model_from(json);
    return back ? std::string("accepted") : back.error().context;
  };
  const Json int8{{"format", "onnx-int8"}, {"model", hash}};
  EXPECT_EQ(refusal(Json::array({int8})), "accepted");
  EXPECT_THAT(refusal(Json::array({int8, int8})), HasSubstr("names 'onnx-int8' twice"));
  EXPECT_THAT(refusal(Json::array({{{"format", "onnx"}, {"model", hash}}})), HasSubstr("'format'"));
  EXPECT_THAT(refusal(Json::array({{{"format", "../x"}, {"model", hash}}})), HasSubstr("'format'"));
  EXPECT_THAT(refusal(Json::array({{{"format", "onnx-int8"}}})), HasSubstr("\"model\" is missing"));
  Json many = Json::array();
  for (int i = 0; i < 9; ++i) many.push_back({{"format", "f" + std::to_string(i)}, {"model", hash}});
  EXPECT_THAT(refusal(many), HasSubstr("exports"));
}

TEST(Messages, IgnoreKeysThatANewerPeerSends) {
  Json json = to_json(HeartbeatReply{});
  json["sharpness"] = {1, 2};
  EXPECT_TRUE(heartbeat_reply_from(json));
  json = to_json(example_job());
  json["priority"] = "high";
  EXPECT_TRUE(job_from(json));
}

TEST(Messages, BoundEveryStringAndNumberAndNameTheKey) {
  const auto job_refusal = [](std::string_view key, Json value) {
    Json json = to_json(example_job());
    json[std::string(key)] = std::move(value);
    const auto back = job_from(json);
    return back ? std::string("accepted") : back.error().context;
  };
  EXPECT_THAT(job_refusal("reason", std::string(513, 'x')), HasSubstr("job: 'reason' is longer than 512"));
  EXPECT_THAT(job_refusal("pipeline", "../x"), HasSubstr("'pipeline' must be a plain name"));
  EXPECT_THAT(job_refusal("id", "a/b"), HasSubstr("'id'"));
  EXPECT_THAT(job_refusal("seed", -1), HasSubstr("'seed'"));
  EXPECT_THAT(job_refusal("lease_ms", -1), HasSubstr("'lease_ms'"));
  EXPECT_THAT(job_refusal("dataset", "zz"), HasSubstr("'dataset' must be a SHA-256"));
  EXPECT_THAT(job_refusal("pipeline_toml", 3), HasSubstr("pipeline_toml"));
  EXPECT_FALSE(job_from(Json("text")));
  EXPECT_THAT(ticket_from({{"url", "ftp://x"}}).error().context, HasSubstr("https://"));
  EXPECT_THAT(enroll_request_from({{"token", "a b"}}).error().context, HasSubstr("'token'"));
  EXPECT_THAT(enroll_request_from({{"token", "a"}, {"nonce", "xyz"}}).error().context, HasSubstr("'nonce'"));
  EXPECT_FALSE(outcome_from({{"release", 0}}));
}

}  // namespace
}  // namespace hone::wire
