#include "cloud/service/service.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "cloud/publish/publish.hpp"
#include "cloud/service/access.hpp"
#include "cloud/service/pipeline_work.hpp"
#include "cloud/service/registry.hpp"
#include "cloud/service/router.hpp"
#include "cloud/service/routes.hpp"
#include "cloud/service/static_files.hpp"
#include "cloud/service/stores.hpp"
#include "cloud/train/jobs.hpp"

namespace hone::cloud {
namespace {

constexpr Duration kFilesEvery = std::chrono::seconds(2);
constexpr Duration kMetadataEvery = std::chrono::minutes(1);
constexpr Duration kAfterProblem = std::chrono::seconds(1);
constexpr Duration kIdleMax = std::chrono::seconds(2);

// The signal and the holdout of stored rows stay: refuse a file that says otherwise.
Result<> check_against_stored(Stores& stores, const Pipeline& pipeline) {
  const std::string signal = rows_text(pipeline);
  HONE_TRY(const auto fixed, stores.datasets->fix_split(pipeline.name, {signal, pipeline.gate.holdout}));
  if (fixed.signal != signal) {
    return fail(Code::invalid, "pipeline '" + pipeline.name.value + "' has stored samples of another signal (" +
                                   fixed.signal + "): change [signal] back, or give the pipeline another name");
  }
  if (fixed.holdout != pipeline.gate.holdout) {
    return fail(Code::invalid, "pipeline '" + pipeline.name.value +
                                   "' has samples that were split with holdout = " + Json(fixed.holdout).dump() +
                                   ", and what was trained on cannot be measured on later: change it back");
  }
  return {};
}

class CloudService : public Service {
 public:
  CloudService(ServiceConfig config, ServicePorts ports) : config_(std::move(config)), ports_(std::move(ports)) {}

  Result<> start() {
    HONE_TRY(stores_, open_stores(config_, ports_.files));
    HONE_TRY(access_, Access::open(ports_.files, ports_.random, config_.data_folder, config_.url, config_.ca_pem,
                                   *stores_.credentials));
    HONE_TRY(registry_, Registry::open(ports_.files, config_.pipeline_files, [this](const Pipeline& pipeline) {
               return check_against_stored(stores_, pipeline);
             }));
    HONE_TRY(publisher_, Publisher::open(ports_.files, repository(), config_.data_folder + "/keys", ports_.random,
                                         ports_.clock.now()));
    desk_.emplace(Desk{config_, stores_, *registry_, *access_, problems_, ports_.accounts,
                       to_string(publisher_->root_json()), ports_.wake});
    for (auto table : {device_routes(*desk_), trainer_routes(*desk_), admin_routes(*desk_), job_routes(*desk_)}) {
      std::move(table.begin(), table.end(), std::back_inserter(routes_));
    }
    routes_.push_back({"GET", "/repository/{...}", {}, kNoBody, [this](const Request& request) -> Result<HttpResponse> {
                         return serve_file(ports_.files, repository(), request.captures[0], request.http);
                       }});
    return {};
  }

  HttpResponse handle(const HttpRequest& request) override {
    try {
      return dispatch(routes_, *access_, request, ports_.clock.now());
    } catch (const std::exception& e) {  // memory, above all: this request fails, the service goes on
      ports_.log(std::string("request failed: ") + e.what());
      return error_response(500, Code::unavailable, "the server could not answer this: try again later");
    }
  }

  Duration step(Time now) override {
    Duration sleep = kIdleMax;
    if (due(files_due_, now, kFilesEvery)) registry_->reload();
    if (due(metadata_due_, now, kMetadataEvery)) {
      sleep = std::min(sleep, note("", publisher_->refresh(now).map([](bool) { return kIdleMax; })));
    }
    sleep = std::min(sleep, note("", expire(now)));
    for (const auto& entry : registry_->all()) {
      const auto& name = entry.pipeline->name.value;
      auto& work = work_[name];
      if (!work) {
        work = std::make_unique<PipelineWork>(
            WorkPorts{stores_, ports_.clock, ports_.runtime, *publisher_, ports_.hints, ports_.log});
      }
      sleep = std::min(sleep, note(name, guarded(*work, entry.pipeline, now)));
    }
    return sleep;
  }

  wire::AccessFile trainer_access() const override { return access_->trainer(); }
  wire::AccessFile admin_access() const override { return access_->admin(); }

 private:
  std::string repository() const { return config_.data_folder + "/repository"; }

  static bool due(std::optional<Time>& when, Time now, Duration every) {
    if (when && now < *when) return false;
    when = now + every;
    return true;
  }

  Result<Duration> expire(Time now) {
    HONE_TRY(const auto next, expire_leases(*stores_.jobs, now));
    return next ? std::min(kIdleMax, *next - now) : kIdleMax;
  }

  // Memory may run out over a large model; the next step tries again.
  static Result<Duration> guarded(PipelineWork& work, const std::shared_ptr<const Pipeline>& pipeline, Time now) {
    try {
      return work.step(pipeline, now);
    } catch (const std::exception& e) {
      return fail(Code::unavailable, std::string("background work failed: ") + e.what());
    }
  }

  // A problem is shown in `status` until the work succeeds, told once, and tried again after a while.
  Duration note(const std::string& where, const Result<Duration>& done) {
    const std::string what = done ? std::string() : done.error().context;
    if (!what.empty() && problems_.get(where) != what) ports_.log((where.empty() ? "" : where + ": ") + what);
    problems_.set(where, what);
    return done ? *done : kAfterProblem;
  }

  // Constant after start().
  const ServiceConfig config_;
  const ServicePorts ports_;
  Stores stores_;
  std::unique_ptr<Access> access_;
  std::unique_ptr<Registry> registry_;
  std::optional<Desk> desk_;
  std::vector<Route> routes_;
  Problems problems_;
  // Of step() alone.
  std::unique_ptr<Publisher> publisher_;
  std::optional<Time> files_due_, metadata_due_;
  std::map<std::string, std::unique_ptr<PipelineWork>> work_;
};

}  // namespace

Result<std::unique_ptr<Service>> Service::open(ServiceConfig config, ServicePorts ports) {
  auto service = std::make_unique<CloudService>(std::move(config), std::move(ports));
  HONE_CHECK(service->start());
  return service;
}

}  // namespace hone::cloud
