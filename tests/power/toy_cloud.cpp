#include "toy_cloud.hpp"

#include <gtest/gtest.h>

#include <charconv>

#include "base/hash.hpp"
#include "shared/delta/encode/encode.hpp"

namespace hone::testing {
namespace {

const std::string kSecret = "secret";
const DeviceId kDevice("dev-0000000000000001");
const PipelineName kPipeline("toy");

HttpResponse json(const Json& value) {
  HttpResponse response;
  response.status = 200;
  response.body = dump_bytes(value);
  return response;
}

class ToyRunner : public model::Runner {
 public:
  ToyRunner(ByteView onnx, std::size_t sample_bytes, std::optional<std::uint8_t> fail_on)
      : onnx_(onnx.begin(), onnx.end()), sample_bytes_(sample_bytes), fail_on_(fail_on) {}
  [[nodiscard]] std::int64_t width() const override { return 3; }
  [[nodiscard]] Result<> run(ByteView inputs, std::int64_t rows, std::span<float> outputs,
                             std::span<float>) const override {
    if (inputs.size() != static_cast<std::size_t>(rows) * sample_bytes_) return fail(Code::invalid, "wrong size");
    for (std::int64_t r = 0; r < rows; ++r) {
      const ByteView sample = inputs.subspan(static_cast<std::size_t>(r) * sample_bytes_, sample_bytes_);
      if (fail_on_ && sample[0] == *fail_on_) return fail(Code::damaged, "the toy model fails on this sample");
      const auto scores = toy_scores(onnx_, sample);
      std::copy(scores.begin(), scores.end(), outputs.begin() + r * 3);
    }
    return {};
  }

 private:
  Bytes onnx_;
  std::size_t sample_bytes_;
  std::optional<std::uint8_t> fail_on_;
};

}  // namespace

wire::Signal toy_signal() {
  wire::Signal signal;
  signal.shape = {4};
  signal.dtype = wire::DType::uint8;
  signal.labels = {"a", "b", "c"};
  return signal;
}

std::vector<float> toy_scores(ByteView onnx, ByteView sample) {
  const std::uint32_t seed = crc32(sample, crc32(onnx));
  return {static_cast<float>(seed & 0xFF), static_cast<float>(seed >> 8 & 0xFF), static_cast<float>(seed >> 16 & 0xFF)};
}

Result<std::unique_ptr<model::Runner>> ToyRuntime::load(ByteView onnx, const wire::Signal& signal,
                                                         std::string_view) {
  ++loads;
  if (as_text(onnx).starts_with("broken")) return fail(Code::damaged, "the toy runtime cannot load this");
  return std::make_unique<ToyRunner>(onnx, signal.sample_bytes(), fail_on);
}

ToyCloud::ToyCloud(Time now, std::uint64_t seed) : random_(seed) {
  auto publisher = cloud::Publisher::open(files_, "repo", "keys", random_, now);
  if (!publisher) throw std::runtime_error(publisher.error().context);
  publisher_ = std::move(*publisher);
  offer.pipeline = kPipeline;
  offer.signal = toy_signal();
  offer.flush_after = std::chrono::milliseconds(200);
  offer.check_every = std::chrono::seconds(5);
}

wire::Ticket ToyCloud::ticket(const std::string& token) const {
  return {"https://toy", "-----BEGIN CERTIFICATE-----\n", kPipeline, token, to_string(publisher_->root_json())};
}

HttpResponse ToyCloud::handle(const HttpRequest& request) {
  const std::string path = request.path.substr(0, request.path.find('?'));
  if (path.starts_with("/repository/")) return repository(request);
  const auto body = parse_json(request.body);
  if (path == "/v1/enroll") {
    const auto ask = wire::enroll_request_from(*body);
    const auto [used, fresh] = tokens.try_emplace(ask->token, ask->nonce);
    if (!fresh && used->second != ask->nonce) return response_of(Error(Code::untrusted, "the token was used"));
    return json(wire::to_json(wire::EnrollReply{kDevice, kSecret, kPipeline, "", 0}));
  }
  const auto authorization = request.headers.find("authorization");
  if (authorization == request.headers.end() || authorization->second != "Bearer " + kDevice.value + "." + kSecret) {
    return response_of(Error(Code::untrusted, "no credential"));
  }
  if (path == "/v1/offer") return json(wire::to_json(offer));
  if (path == "/v1/outcomes") {
    outcomes.push_back(*wire::outcome_from(*body));
    return json(Json::object());
  }
  if (path == "/v1/pipelines/toy/batches") {
    const auto batch = wire::decode_batch(request.body, offer.signal);
    if (!batch) return response_of(batch.error());
    const auto [at, fresh] = batches.try_emplace(batch->id.value, batch->rows());
    wire::BatchReply reply;
    reply.collect = offer.collect;
    reply.duplicate = !fresh;
    if (fresh) {
      reply.stored = static_cast<std::int64_t>(batch->rows());
      for (std::size_t i = 0; i < batch->rows(); ++i)
        ++samples[Bytes(batch->x.begin() + static_cast<std::ptrdiff_t>(i * 4),
                        batch->x.begin() + static_cast<std::ptrdiff_t>(i * 4 + 4))];
    }
    return json(wire::to_json(reply));
  }
  return response_of(Error(Code::not_found, path));
}

HttpResponse ToyCloud::repository(const HttpRequest& request) {
  const std::string path = "repo/" + request.path.substr(std::string("/repository/").size());
  auto file = read_file(files_, path, 1u << 24);
  if (!file) return response_of(file.error());
  HttpResponse response;
  response.status = 200;
  response.body = std::move(*file);
  if (const auto range = request.headers.find("range"); range != request.headers.end()) {
    std::uint64_t from = 0, to = 0;
    const std::string& text = range->second;
    const auto dash = text.find('-');
    std::from_chars(text.data() + 6, text.data() + dash, from);
    std::from_chars(text.data() + dash + 1, text.data() + text.size(), to);
    to = std::min<std::uint64_t>(to + 1, response.body.size());
    response.body = Bytes(response.body.begin() + static_cast<std::ptrdiff_t>(from),
                          response.body.begin() + static_cast<std::ptrdiff_t>(to));
    response.status = 206;
  }
  target_bytes_served[path.substr(path.find_last_of('.') + 1)] += response.body.size();
  return response;
}

void ToyCloud::publish(const Publish& release, Time now) {
  const auto file_of = [](const std::string& path, const Bytes& bytes) {
    return wire::TargetFile{path, bytes.size(), sha256(bytes)};
  };
  wire::ReleaseManifest m;
  m.pipeline = kPipeline;
  m.seq = {release.seq};
  m.created = now;
  m.signal = toy_signal();
  m.model.sha256 = sha256(release.model);
  m.full = file_of(wire::model_path(kPipeline, m.model), release.model);
  m.metric = "accuracy";
  m.goal_met = release.goal_met;
  m.self_test.rows = 2;
  m.self_test.inputs = {1, 2, 3, 4, 5, 6, 7, 8};
  for (std::size_t row = 0; row < 2; ++row) {
    for (const float s : toy_scores(release.model, ByteView(m.self_test.inputs).subspan(row * 4, 4)))
      m.self_test.outputs.push_back(s);
  }
  if (release.wrong_self_test) m.self_test.outputs[0] += 1;
  std::vector<cloud::NewTarget> targets{{m.full, release.model}};
  if (release.base) {
    ModelHash base;
    base.sha256 = sha256(*release.base);
    const auto encoded =
        release.delta ? Result<Bytes>(*release.delta) : delta::encode(*release.base, release.model, {1, {}});
    ASSERT_TRUE(encoded) << encoded.error().context;
    m.deltas.push_back({base, file_of(wire::delta_path(kPipeline, base, m.model), *encoded)});
    targets.push_back({m.deltas[0].file, *encoded});
  }
  const Bytes manifest = wire::to_bytes(m);
  targets.push_back({file_of(wire::manifest_path(kPipeline, m.seq), manifest), manifest});
  const auto published = publisher_->publish(targets, now);
  ASSERT_TRUE(published) << published.error().context;
  offer.release = m.seq;
  offer.goal_met = release.goal_met;
}

bool ToyCloud::has_outcome(std::uint64_t release, wire::OutcomeKind kind) const {
  for (const auto& o : outcomes) {
    if (o.release.value == release && o.kind == kind) return true;
  }
  return false;
}

}  // namespace hone::testing
