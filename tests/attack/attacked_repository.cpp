#include "attacked_repository.hpp"

#include "base/json.hpp"

namespace hone::attack {
namespace {

cloud::NewTarget target(std::string path, Bytes bytes) {
  const wire::TargetFile file{std::move(path), bytes.size(), sha256(bytes)};
  return {file, std::move(bytes)};
}

}  // namespace

void AttackedRepository::SetUp() {
  auto opened = cloud::Publisher::open(cloud_disk, "repository", "keys", random, now);
  ASSERT_TRUE(opened) << opened.error().context;
  publisher = std::move(*opened);
  first_root = publisher->root_json();
  publish(1);
  reboot_device();
  const auto refreshed = refresh();
  ASSERT_TRUE(refreshed) << refreshed.error().context;
  ASSERT_TRUE(device_knows(1));
}

std::vector<cloud::NewTarget> AttackedRepository::release(std::uint64_t seq) const {
  const Bytes model = to_bytes("the model of release " + std::to_string(seq));
  wire::ReleaseManifest manifest;
  manifest.pipeline = pipeline;
  manifest.seq = ReleaseSeq{seq};
  manifest.created = *from_rfc3339("2026-11-23T00:00:00Z");
  manifest.signal = {.shape = {1, 2, 2}, .dtype = wire::DType::uint8, .scale = 1.0, .labels = {"0", "1"}};
  manifest.model = ModelHash{sha256(model)};
  manifest.full = {wire::model_path(pipeline, manifest.model), model.size(), sha256(model)};
  manifest.metric = "accuracy";
  manifest.metric_value = 0.5;
  manifest.self_test = {.rows = 1, .inputs = Bytes(4), .outputs = {0.25f, 0.75f}, .tolerance = 0.001f};
  return {target(manifest.full.path, model),
          target(wire::manifest_path(pipeline, manifest.seq), wire::to_bytes(manifest))};
}

void AttackedRepository::publish(std::uint64_t seq) {
  const auto published = publisher->publish(release(seq), now);
  ASSERT_TRUE(published) << published.error().context;
}

Mirror AttackedRepository::copy() const {
  Mirror all;
  auto& disk = const_cast<platform::SimFiles&>(cloud_disk);  // reading does not change it
  const auto names = *disk.list("repository/metadata");
  for (const auto& name : names) {
    all["metadata/" + name] = *read_file(disk, "repository/metadata/" + name, 1 << 24);
  }
  return all;
}

Result<> AttackedRepository::refresh() {
  asked.clear();
  bytes_fetched = 0;
  const edge::FetchFile fetch = [this](const std::string& path, std::uint64_t bytes_max) -> Result<Bytes> {
    asked.push_back(path);
    auto bytes = [&]() -> Result<Bytes> {
      if (const auto laid = mirror.find(path); laid != mirror.end()) return laid->second;
      if (!repository_reachable) return fail(Code::not_found, path);
      return read_file(cloud_disk, "repository/" + path, 1 << 24);
    }();
    if (bytes && bytes->size() > bytes_max) return fail(Code::damaged, path + " is longer than asked for");
    if (bytes) bytes_fetched += bytes->size();
    return bytes;
  };
  return device->refresh(fetch, now);
}

Code AttackedRepository::refused() {
  const auto refreshed = refresh();
  EXPECT_FALSE(refreshed) << "the device took what it was given";
  if (refreshed) return Code::cancelled;
  EXPECT_FALSE(refreshed.error().context.empty());
  return refreshed.error().code;
}

void AttackedRepository::reboot_device() {
  device.reset();
  device_disk.reboot(random);
  auto opened = edge::TrustedRepository::open(device_disk, "trust", first_root);
  ASSERT_TRUE(opened) << opened.error().context;
  device = std::move(*opened);
}

bool AttackedRepository::device_knows(std::uint64_t seq) const {
  return device->find(wire::manifest_path(pipeline, ReleaseSeq{seq})).has_value();
}

trust::SigningKey AttackedRepository::stolen(RoleName role) const {
  const auto keys = cloud::read_signing_keys(const_cast<platform::SimFiles&>(cloud_disk), "keys");
  return keys->at(role);
}

Json AttackedRepository::content(const std::string& path) const {
  const auto laid = mirror.find(path);
  const Bytes bytes = laid != mirror.end() ? laid->second : copy().at(path);
  return (*parse_json(bytes))["signed"];
}

Json AttackedRepository::current(RoleName role) const {
  const Json timestamp = content("metadata/timestamp.json");
  if (role == RoleName::timestamp) return timestamp;
  const Json snapshot = content("metadata/" + timestamp["meta"]["snapshot.json"]["version"].dump() + ".snapshot.json");
  if (role == RoleName::snapshot) return snapshot;
  return content("metadata/" + snapshot["meta"]["targets.json"]["version"].dump() + ".targets.json");
}

Bytes AttackedRepository::sign(const Json& content, std::vector<trust::SigningKey> keys) {
  return *trust::sign(content, keys);
}

void AttackedRepository::forge(const Forgery& forgery) {
  Json targets = current(RoleName::targets);
  Json snapshot = current(RoleName::snapshot);
  Json timestamp = current(RoleName::timestamp);
  const auto name = [](Json& entry, const Json& below, const Bytes& bytes) {
    entry = {{"version", below["version"]}, {"length", bytes.size()}, {"hashes", {{"sha256", sha256(bytes).hex()}}}};
  };
  targets["version"] = targets["version"].get<int>() + 1;
  forgery.targets(targets);
  const Bytes targets_bytes = sign(targets, {stolen(RoleName::targets)});
  mirror["metadata/" + targets["version"].dump() + ".targets.json"] = targets_bytes;
  snapshot["version"] = snapshot["version"].get<int>() + 1;
  name(snapshot["meta"]["targets.json"], targets, targets_bytes);
  forgery.snapshot(snapshot);
  const Bytes snapshot_bytes = sign(snapshot, {stolen(RoleName::snapshot)});
  mirror["metadata/" + snapshot["version"].dump() + ".snapshot.json"] = snapshot_bytes;
  timestamp["version"] = timestamp["version"].get<int>() + 1;
  name(timestamp["meta"]["snapshot.json"], snapshot, snapshot_bytes);
  forgery.timestamp(timestamp);
  mirror["metadata/timestamp.json"] = sign(timestamp, {stolen(RoleName::timestamp)});
}

void AttackedRepository::rotate_root(const std::function<void(Json&)>& change, std::vector<trust::SigningKey> keys) {
  std::int64_t version = 1;
  const Mirror real = copy();
  const auto path = [](std::int64_t v) { return "metadata/" + std::to_string(v) + ".root.json"; };
  while (real.contains(path(version + 1)) || mirror.contains(path(version + 1))) ++version;
  Json root = content(path(version));
  root["version"] = version + 1;
  change(root);
  mirror[path(root["version"].get<std::int64_t>())] = sign(root, std::move(keys));
}

}  // namespace hone::attack
