// A cloud of one function for the worker's tests.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "base/http.hpp"
#include "base/json.hpp"
#include "shared/wire/dataset.hpp"
#include "shared/wire/job_log.hpp"
#include "shared/wire/messages.hpp"
#include "shared/wire/npy.hpp"
#include "trainer/testing_rows.hpp"

namespace hone::trainer::testing {

inline constexpr const char* kPairsToml = R"(
[pipeline]
name = "pairs"
[signal]
shape = [8]
dtype = "uint8"
scale = 0.00392156862745098
labels = ["a", "b", "c", "d"]
[train]
recipe = "mlp"
layers = ["dense 16", "relu", "dense 4"]
epochs = 2
batch_size = 32
learning_rate = 0.01
first_at_samples = 100
[gate]
metric = "accuracy"
goal = 0.9
margin = 0.01
)";

// Holds one job, its dataset and whatever is put; counts what is asked of it.
class FakeCloud {
 public:
  FakeCloud() {
    manifest.pipeline = PipelineName("pairs");
    manifest.signal = signal({8}, 4);
    manifest.devices = {"dev-0"};
    Rows rows = four_pairs(300, 1);
    rows.y[0] = -1;  // nobody told
    manifest.training.push_back(shard_of(rows));
    manifest.training.push_back(shard_of(four_pairs(100, 2)));
    wire::Shard hidden;  // blobs that do not exist: whoever asks for the holdout is found out
    hidden.rows = 10;
    manifest.holdout.push_back(hidden);
    job.id = JobId("job-1");
    job.pipeline = manifest.pipeline;
    job.pipeline_toml = kPairsToml;
    job.dataset = wire::hash_of(manifest);
    job.lease = std::chrono::seconds(15);
    job.reason = "400 new samples";
  }

  HttpResponse handle(const HttpRequest& request) {
    ++requests[request.method + " " + kind_of(request.path)];
    if (refuse && refuse(request)) return response_of(Error(Code::unavailable, "restarting"));
    if (request.path == "/v1/jobs/lease") return lease(request);
    if (request.path.ends_with("/heartbeat")) return heartbeat(request);
    if (request.path.starts_with("/v1/datasets/")) return body_of(wire::canonical_bytes(manifest));
    if (request.path.starts_with("/v1/blobs/")) return blob(request);
    if (request.path.ends_with("/complete")) return complete(request);
    if (request.path.ends_with("/figures")) {
      evaluated = *wire::evaluated_models_from(*parse_json(request.body));
      return body_of(to_bytes("{}"));
    }
    if (request.path.ends_with("/fail")) {
      failed_because = (*parse_json(request.body))["reason"].get<std::string>();
      return body_of(to_bytes("{}"));
    }
    return response_of(Error(Code::not_found, "no such thing"));
  }

  // ---- what it holds ----

  BlobHash put(Bytes bytes) {
    const Sha256 hash = sha256(bytes);
    blobs[hash.hex()] = std::move(bytes);
    return BlobHash{hash};
  }
  wire::Shard shard_of(const Rows& rows) {
    const auto count = static_cast<std::int64_t>(rows.rows());
    wire::Shard shard;
    shard.rows = count;
    Bytes x = wire::npy_header("|u1", {count, 8});
    x.insert(x.end(), rows.x.begin(), rows.x.end());
    Bytes y = wire::npy_header("<i8", {count});
    const auto* labels = reinterpret_cast<const std::uint8_t*>(rows.y.data());
    y.insert(y.end(), labels, labels + rows.y.size() * sizeof(std::int64_t));
    shard.x = put(std::move(x));
    shard.y = put(std::move(y));
    return shard;
  }

  wire::DatasetManifest manifest;
  wire::Job job;
  std::map<std::string, Bytes> blobs;
  std::map<std::string, int> requests;  // "GET blobs" -> how many
  std::function<bool(const HttpRequest&)> refuse;
  bool leased = false;
  bool cancel = false;     // says the next heartbeat
  bool forgotten = false;  // the lease is over: heartbeats and completion are refused
  std::vector<wire::ProgressPoint> points;
  std::optional<wire::TrainedModel> model;
  std::optional<wire::EvaluatedModels> evaluated;
  Json lease_request;
  std::string failed_because;
  std::map<std::int64_t, std::string> log;  // by number, whatever came twice

 private:
  static std::string kind_of(const std::string& path) {
    if (path.starts_with("/v1/blobs/")) return "blobs";
    if (path.starts_with("/v1/datasets/")) return "datasets";
    return path.substr(path.rfind('/') + 1);
  }
  static HttpResponse body_of(Bytes bytes) { return {200, {}, std::move(bytes)}; }

  HttpResponse lease(const HttpRequest& request) {
    lease_request = *parse_json(request.body);
    if (leased) return {204, {}, {}};
    leased = true;
    return body_of(dump_bytes(wire::to_json(job)));
  }
  HttpResponse heartbeat(const HttpRequest& request) {
    if (forgotten) return response_of(Error(Code::wrong_base, "the lease of this job is over"));
    const Json body = *parse_json(request.body);
    points.push_back(*wire::progress_point_from(body));
    const auto lines = wire::log_lines_from(body).value();
    for (const wire::LogLine& line : lines) log[line.number] = line.text;
    return body_of(dump_bytes(wire::to_json(wire::HeartbeatReply{cancel})));
  }
  HttpResponse blob(const HttpRequest& request) {
    const std::string hash = request.path.substr(std::string("/v1/blobs/").size());
    if (request.method == "PUT") {
      if (sha256(request.body).hex() != hash) return {422, {}, to_bytes(R"({"error":"other hash","code":"invalid"})")};
      blobs[hash] = request.body;
      return body_of(to_bytes("{}"));
    }
    const auto found = blobs.find(hash);
    if (found == blobs.end()) return response_of(Error(Code::not_found, "no such blob"));
    return body_of(found->second);
  }
  HttpResponse complete(const HttpRequest& request) {
    if (forgotten) return response_of(Error(Code::wrong_base, "the lease of this job is over"));
    model = *wire::trained_model_from(*parse_json(request.body));
    return body_of(to_bytes("{}"));
  }
};

}  // namespace hone::trainer::testing
