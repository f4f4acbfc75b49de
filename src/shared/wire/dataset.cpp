#include "shared/wire/dataset.hpp"

#include <numeric>
#include <utility>

#include "base/json.hpp"
#include "shared/wire/fields.hpp"

namespace hone::wire {
namespace {

constexpr std::int64_t kFormat = 1;
constexpr std::size_t kDatasetBytesMax = 64u << 20;
constexpr std::size_t kShardsMax = 65536;
constexpr std::size_t kDevicesMax = 1u << 20;
constexpr std::int64_t kShardRowsMax = std::int64_t{1} << 31;

std::int64_t rows_of(const std::vector<Shard>& shards) {
  return std::accumulate(shards.begin(), shards.end(), std::int64_t{0},
                         [](std::int64_t sum, const Shard& shard) { return sum + shard.rows; });
}

Json to_json(const std::vector<Shard>& shards) {
  Json json = Json::array();
  for (const Shard& shard : shards)
    json.push_back(
        {{"rows", shard.rows}, {"x", shard.x.hex()}, {"y", shard.y.hex()}, {"t", shard.t.hex()}, {"d", shard.d.hex()}});
  return json;
}

Result<Shard> shard_from(const Json& json) {
  Shard shard;
  Fields fields("shard", json);
  fields.integer("rows", shard.rows, 1, kShardRowsMax);
  fields.digest("x", shard.x);
  fields.digest("y", shard.y);
  fields.digest("t", shard.t);
  fields.digest("d", shard.d);
  return fields.finish(shard);
}

void read_shards(Fields& fields, std::string_view key, std::vector<Shard>& out) {
  const Json* array = fields.array(key, kShardsMax);
  if (!array) return;
  for (const Json& item : *array) {
    Shard shard;
    fields.take(shard_from(item), shard);
    if (fields.failed()) return;
    out.push_back(shard);
  }
}

}  // namespace

std::int64_t DatasetManifest::training_rows() const {
  return rows_of(training);
}
std::int64_t DatasetManifest::holdout_rows() const {
  return rows_of(holdout);
}

Bytes canonical_bytes(const DatasetManifest& manifest) {
  return dump_bytes({{"format", kFormat},
                     {"pipeline", manifest.pipeline.value},
                     {"signal", to_json(manifest.signal)},
                     {"devices", manifest.devices},
                     {"training", to_json(manifest.training)},
                     {"holdout", to_json(manifest.holdout)}});
}

DatasetHash hash_of(const DatasetManifest& manifest) {
  return {hone::sha256(canonical_bytes(manifest))};
}

Result<DatasetManifest> dataset_manifest_from(ByteView bytes) {
  if (bytes.size() > kDatasetBytesMax) return fail(Code::invalid, "a dataset manifest has at most 67108864 bytes");
  HONE_TRY(const Json json, parse_json(bytes));
  DatasetManifest manifest;
  Fields fields("dataset manifest", json);
  std::int64_t format = 0;
  fields.integer("format", format, kFormat, kFormat);
  fields.pipeline("pipeline", manifest.pipeline);
  if (const Json* signal = fields.object("signal")) fields.take(signal_from(*signal), manifest.signal);
  if (const Json* devices = fields.array("devices", kDevicesMax)) {
    for (const Json& device : *devices) {
      if (!device.is_string() || !is_plain_name(device.get_ref<const std::string&>())) {
        fields.fail_key("devices", "must hold device ids");
        break;
      }
      manifest.devices.push_back(device.get<std::string>());
    }
  }
  read_shards(fields, "training", manifest.training);
  read_shards(fields, "holdout", manifest.holdout);
  return fields.finish(std::move(manifest));
}

}  // namespace hone::wire
