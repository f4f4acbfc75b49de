// What administrators and the dashboard read, as JSON; docs/formats/messages.md has the keys.
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "cloud/service/registry.hpp"
#include "cloud/service/routes.hpp"
#include "cloud/train/job_store.hpp"

namespace hone::cloud {

[[nodiscard]] Result<Json> status_report(Desk& desk, Time now);
[[nodiscard]] Result<Json> devices_report(Desk& desk);
[[nodiscard]] Result<Json> releases_report(Desk& desk, const Pipeline& pipeline);
[[nodiscard]] Result<Json> verdicts_report(Desk& desk, const Pipeline& pipeline);
[[nodiscard]] Result<Json> jobs_report(Desk& desk, const PipelineName& pipeline);  // empty name: all
[[nodiscard]] Result<Json> job_report(Desk& desk, const JobRow& job);

}  // namespace hone::cloud
