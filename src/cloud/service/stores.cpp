#include "cloud/service/stores.hpp"

#include <utility>

#include "cloud/store/files/blobs.hpp"
#include "cloud/store/sqlite/stores.hpp"

namespace hone::cloud {

Result<Stores> open_stores(const ServiceConfig& config, Files& files) {
  Stores stores;
  HONE_CHECK(files.make_folders(config.data_folder));
  HONE_TRY(stores.blobs, open_blob_folder(files, config.data_folder + "/blobs"));
  HONE_TRY(auto opened, sqlite::Database::open(config.database));
  std::shared_ptr<sqlite::Database> database = std::move(opened);
  stores.batches = sqlite::make_batch_store(*database);
  stores.datasets = sqlite::make_dataset_store(*database);
  stores.jobs = sqlite::make_job_store(*database);
  stores.job_logs = sqlite::make_job_log_store(*database);
  stores.releases = sqlite::make_release_store(*database);
  stores.devices = sqlite::make_device_store(*database);
  stores.credentials = sqlite::make_credential_store(*database);
  stores.database = std::move(database);
  return stores;
}

}  // namespace hone::cloud
