#include "world.hpp"

#include <array>
#include <bit>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace hone::loop {
namespace {

using std::chrono::milliseconds;

constexpr auto kTick = milliseconds(50);

// Anything that goes wrong here is the test's own fault, and ends it.
template <class T>
T must(Result<T> result, const char* what) {
  if (!result) throw std::runtime_error(std::string(what) + ": " + result.error().context);
  return std::move(*result);
}
void must(const Result<>& result, const char* what) {
  if (!result) throw std::runtime_error(std::string(what) + ": " + result.error().context);
}

std::string pipeline_text(const WorldOptions& options) {
  return "[pipeline]\nname = \"board\"\n"
         "[signal]\nshape = [2]\ndtype = \"float32\"\nlabels = [\"white\", \"black\"]\n"
         "[collect]\nuntil = \"goal\"\nflush_after = \"200ms\"\n"
         "[train]\nrecipe = \"mlp\"\nlayers = [\"dense 64\", \"relu\", \"dense 32\", \"relu\", \"dense 2\"]\nepochs = 60\nlearning_rate = 0.01\n"
         "batch_size = 32\nfirst_at_samples = " + std::to_string(options.first_at_samples) +
         "\nwhen = { new_samples = " + std::to_string(options.new_samples) + " }\ncooldown = \"0s\"\n"
         "[gate]\nmetric = \"accuracy\"\ngoal = " + std::to_string(options.goal) +
         "\nfirst_goal = 0.5\nmargin = " + std::to_string(options.margin) + "\nconfidence = 0.8\nholdout = 0.25\nno_slice_worse_than = 0.2\n" +
         (options.exports_int8 ? "[export]\nformats = [\"onnx\", \"onnx-int8\"]\nmay_lose = 0.05\n" : "") +
         "[delivery]\nrollout = [100]\nwire_budget = \"" + options.wire_budget + "\"\nwire_keep = " + std::to_string(options.wire_keep) + "\n";
}

}  // namespace

World::World(WorldOptions options)
    : options_(options),
      clock_(Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 23))),
      random_(options.seed),
      points_(options.seed ^ 0x5eed) {
  std::string pattern = (std::filesystem::temp_directory_path() / "hone-loop-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = pattern;
  runtime_ = must(model::make_onnx_runtime(), "ONNX Runtime");
  must(cloud_disk_.make_folders("etc"), "etc");
  must(write_file_atomically(cloud_disk_, "etc/board.toml", as_bytes(pipeline_text(options_))), "pipeline file");
  must(cloud_disk_.sync_folder("."), "root");
  start_cloud();

  const auto trainer = cloud_->trainer_access();
  trainer_http_ = std::make_unique<platform::SimHttpClient>(
      [this](const HttpRequest& request) { return cloud_ ? cloud_->handle(request) : HttpResponse{503, {}, {}}; }, random_,
      "Bearer " + trainer.token);
  keeper_ = std::make_unique<trainer::LeaseKeeper>(*trainer_http_, clock_);
  worker_ = std::make_unique<trainer::Worker>(
      trainer::WorkerConfig{.name = "trainer", .work_folder = "work"},
      trainer::WorkerPorts{*trainer_http_, trainer_disk_, clock_, *keeper_,
                           // The world does not stand still while the trainer waits for a cloud that is down.
                           [this](Duration) { return false; }});

  HttpRequest request;
  request.method = "POST";
  request.path = "/v1/tickets";
  request.headers["authorization"] = "Bearer " + cloud_->admin_access().token;
  request.body = dump_bytes({{"pipeline", "board"}, {"count", options_.devices}, {"valid_s", 3600}});
  const auto reply = must(parse_json(cloud_->handle(request).body), "tickets");
  devices.reserve(static_cast<std::size_t>(options_.devices));  // agents keep references
  for (const auto& ticket : reply.at("tickets")) {
    auto& device = devices.emplace_back();
    device.name = "device-" + std::to_string(devices.size());
    device.disk = std::make_unique<platform::SimFiles>();
    device.random = std::make_unique<platform::SimRandom>(random_.next());
    device.ticket = must(wire::ticket_from(ticket), "ticket");
    if (static_cast<int>(devices.size()) <= options_.int8_devices) device.ticket.format = wire::kInt8Format;
    start_device(device);
  }
}

World::~World() {
  for (auto& device : devices) device.agent.reset();
  cloud_.reset();
  std::filesystem::remove_all(folder_);
}

void World::start_cloud() {
  cloud::ServiceConfig config{.data_folder = "data",
                              .database = (folder_ / "hone.db").string(),
                              .pipeline_files = {"etc/board.toml"},
                              .url = "https://cloud.test",
                              .ca_pem = "simulated",
                              .mqtt_host = {}};
  cloud_ = must(cloud::Service::open(std::move(config), {cloud_disk_, clock_, random_, *runtime_}), "open the cloud");
}

void World::stop_cloud() { cloud_.reset(); }

void World::restart_cloud() {
  cloud_.reset();
  cloud_disk_.reboot(random_);
  cloud_lost_power_ = false;
  start_cloud();
}

void World::start_device(SimDevice& device) {
  edge::AgentOptions options{.folder = "hone", .ticket = device.ticket, .spool = {}, .trial = {}};
  edge::AgentPorts ports{
      *device.disk, *device.random, *runtime_,
      [this, &device](const wire::Ticket&, const std::string& authorization) -> std::unique_ptr<HttpClient> {
        auto http = std::make_unique<platform::SimHttpClient>(
            [this](const HttpRequest& request) { return cloud_ ? cloud_->handle(request) : HttpResponse{503, {}, {}}; },
            *device.random, authorization);
        http->faults = options_.faults;
        return http;
      },
      [](const wire::Ticket&, const wire::EnrollReply&) { return nullptr; }};
  device.agent = must(edge::Agent::open(std::move(options), std::move(ports), clock_.now()), "open a device");
}

void World::restart_device(SimDevice& device) {
  device.agent.reset();
  device.disk->reboot(*device.random);
  start_device(device);
}

// Uniform in [-1, 1)^2, on a board of 4 x 4 fields: few points give a poor idea of it, many a good one.
edge::Sample World::point(platform::SimRandom& random) const {
  thread_local std::array<float, 2> xy;
  for (float& v : xy) v = static_cast<float>(2 * random.uniform() - 1);
  const auto field = [](float v) { return static_cast<int>((v + 1) * 2); };
  const int black = (field(xy[0]) + field(xy[1])) % 2;
  return {{reinterpret_cast<const std::uint8_t*>(xy.data()), sizeof xy}, black, clock_.now()};
}

void World::use(SimDevice& device) {
  const auto sample = point(points_);
  if (to_observe_each_ > 0 && device.agent->observe(sample)) ++rows_observed;
  const auto answer = device.agent->infer(sample.bytes, {});
  if (answer) ++device.answers;
  if (!answer && answer.error().code != Code::not_found) ++device.errors;
}

void World::tick() {
  clock_.advance(kTick);
  for (auto& device : devices) {
    if (!device.agent) continue;
    for (int i = 0; i < 5; ++i) use(device);
    for (int i = 0; i < 20 && device.agent->step(clock_.now()) == Duration{0}; ++i) {}
  }
  if (to_observe_each_ > 0) to_observe_each_ -= 5;
  if (cloud_) {
    static_cast<void>(cloud_->step(clock_.now()));
    if (auto probe = cloud_disk_.sync_folder("."); !probe) cloud_lost_power_ = true;
  }
  if (cloud_) static_cast<void>(worker_->step_once());
}

void World::observe(int rows_each) {
  to_observe_each_ = rows_each;
  while (to_observe_each_ > 0) tick();
}

bool World::run_until(const std::function<bool()>& done, int seconds) {
  for (int i = 0; i < seconds * 20; ++i) {
    if (done()) return true;
    tick();
  }
  return done();
}

bool World::all_run(std::uint64_t release) const {
  for (const auto& device : devices)
    if (!device.agent || device.agent->status().release.value < release) return false;
  return true;
}

double World::accuracy(const SimDevice& device, int points) const {
  platform::SimRandom random(99);
  int right = 0;
  for (int i = 0; i < points; ++i) {
    const auto sample = point(random);
    const auto answer = device.agent->infer(sample.bytes, {});
    right += answer && answer->label == sample.label;
  }
  return static_cast<double>(right) / points;
}

std::string World::complaints() const {
  std::string text;
  for (const auto& device : devices) {
    const auto status = device.agent->status();
    text += device.name + ": release " + std::to_string(status.release.value) + ", " + std::string(name_of(status.update)) +
            ": " + status.error + "\n";
  }
  return text;
}

Json World::ask(const std::string& path) {
  HttpRequest request;
  request.path = path;
  request.headers["authorization"] = "Bearer " + cloud_->admin_access().token;
  return must(parse_json(cloud_->handle(request).body), path.c_str());
}

std::int64_t World::rows_in_cloud() { return ask("/v1/status").at("received").at("rows").get<std::int64_t>(); }

std::uint64_t World::rows_uploaded() const {
  std::uint64_t rows = 0;
  for (const auto& device : devices) rows += device.agent->status().rows_uploaded;
  return rows;
}

}  // namespace hone::loop
