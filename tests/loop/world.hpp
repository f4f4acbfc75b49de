// A world in one process: one cloud, one trainer, a few devices, all real stages, on a simulated
// clock, disks and network. One seed drives faults, power cuts and samples, so a seed reproduces a run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cloud/service/service.hpp"
#include "edge/agent/agent.hpp"
#include "platform/sim/sim.hpp"
#include "shared/model/run/runtime.hpp"
#include "trainer/client/worker.hpp"

namespace hone::loop {

struct WorldOptions {
  std::uint64_t seed = 1;
  int devices = 3;
  std::int64_t first_at_samples = 300;
  std::int64_t new_samples = 2400;
  double goal = 0.9;
  double margin = 0;  // of the gate
  platform::NetworkFaults faults{};  // between devices and cloud
  bool exports_int8 = false;         // beside the plain files
  int int8_devices = 0;              // so many of the devices, from the first on, ask for them
  std::string wire_budget = "none";  // of updates, and ...
  double wire_keep = 0.9;            // ... the share of the free model's gain that they must keep
};

// One device and its application: looks at a point of a chess board and says its colour.
struct SimDevice {
  std::string name;
  std::unique_ptr<platform::SimFiles> disk;
  std::unique_ptr<platform::SimRandom> random;
  std::unique_ptr<edge::Agent> agent;
  wire::Ticket ticket;
  std::uint64_t rows_durable_or_sent = 0;  // what a power cut may not take away
  std::uint64_t answers = 0, errors = 0;   // of infer, once there was a model
};

class World {
 public:
  explicit World(WorldOptions options);
  ~World();

  // Lets every device look at `rows_each` labelled points while the world goes on.
  void observe(int rows_each);
  // Steps everything, 50 ms of simulated time each, until `done`; false when `seconds` passed before.
  [[nodiscard]] bool run_until(const std::function<bool()>& done, int seconds = 3600);

  void cut_cloud_power_at(std::uint64_t operation) { cloud_disk_.cut_power_at(operation); }
  void stop_cloud();     // as kill -9: nothing is closed in order
  void restart_cloud();  // the disk keeps what was durable, and a random part of the rest
  void restart_device(SimDevice& device);

  [[nodiscard]] bool all_run(std::uint64_t release) const;  // it or a later one
  [[nodiscard]] double accuracy(const SimDevice& device, int points) const;
  [[nodiscard]] Json ask(const std::string& path);  // the admin API
  [[nodiscard]] std::string complaints() const;  // what each device says is wrong
  [[nodiscard]] std::int64_t rows_in_cloud();
  [[nodiscard]] std::uint64_t rows_uploaded() const;
  [[nodiscard]] bool cloud_lost_power() const { return cloud_lost_power_; }

  std::vector<SimDevice> devices;
  std::uint64_t rows_observed = 0;

 private:
  void start_cloud();
  void start_device(SimDevice& device);
  void tick();
  void use(SimDevice& device);
  [[nodiscard]] edge::Sample point(platform::SimRandom& random) const;

  WorldOptions options_;
  std::filesystem::path folder_;  // the cloud's database and pipeline file: SQLite wants a real disk
  platform::SimClock clock_;
  platform::SimRandom random_, points_;
  platform::SimFiles cloud_disk_, trainer_disk_;
  std::unique_ptr<model::Runtime> runtime_;
  std::unique_ptr<cloud::Service> cloud_;
  std::unique_ptr<platform::SimHttpClient> trainer_http_;
  std::unique_ptr<trainer::LeaseKeeper> keeper_;
  std::unique_ptr<trainer::Worker> worker_;
  bool cloud_lost_power_ = false;
  int to_observe_each_ = 0;
};

}  // namespace hone::loop
