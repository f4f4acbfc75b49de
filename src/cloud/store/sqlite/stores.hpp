// The stages' ports over one SQLite database, which must outlive them. Safe for use by several threads.
#pragma once

#include <memory>

#include "cloud/dataset/dataset_store.hpp"
#include "cloud/ingest/batch_store.hpp"
#include "cloud/release/release_store.hpp"
#include "cloud/rollout/device_store.hpp"
#include "cloud/service/credential_store.hpp"
#include "cloud/store/sqlite/database.hpp"
#include "cloud/train/job_log_store.hpp"
#include "cloud/train/job_store.hpp"

namespace hone::cloud::sqlite {

[[nodiscard]] std::unique_ptr<BatchStore> make_batch_store(Database& database);
[[nodiscard]] std::unique_ptr<DatasetStore> make_dataset_store(Database& database);
[[nodiscard]] std::unique_ptr<JobStore> make_job_store(Database& database);
[[nodiscard]] std::unique_ptr<JobLogStore> make_job_log_store(Database& database);
[[nodiscard]] std::unique_ptr<ReleaseStore> make_release_store(Database& database);
[[nodiscard]] std::unique_ptr<DeviceStore> make_device_store(Database& database);
[[nodiscard]] std::unique_ptr<CredentialStore> make_credential_store(Database& database);

}  // namespace hone::cloud::sqlite
