// Everything that the cloud keeps, behind the stages' ports, opened together.
#pragma once

#include <memory>

#include "base/files.hpp"
#include "cloud/dataset/dataset_store.hpp"
#include "cloud/ingest/batch_store.hpp"
#include "cloud/ingest/blob_store.hpp"
#include "cloud/release/release_store.hpp"
#include "cloud/rollout/device_store.hpp"
#include "cloud/service/credential_store.hpp"
#include "cloud/service/service.hpp"
#include "cloud/train/job_log_store.hpp"
#include "cloud/train/job_store.hpp"

namespace hone::cloud {

struct Stores {
  std::shared_ptr<void> database;  // outlives the stores over it
  std::unique_ptr<BlobStore> blobs;
  std::unique_ptr<BatchStore> batches;
  std::unique_ptr<DatasetStore> datasets;
  std::unique_ptr<JobStore> jobs;
  std::unique_ptr<JobLogStore> job_logs;
  std::unique_ptr<ReleaseStore> releases;
  std::unique_ptr<DeviceStore> devices;
  std::unique_ptr<CredentialStore> credentials;
};

// SQLite and a folder of blobs: the embedded default.
[[nodiscard]] Result<Stores> open_stores(const ServiceConfig& config, Files& files);

}  // namespace hone::cloud
