#include "edge/upload/upload.hpp"

#include <string>
#include <utility>

#include "edge/sense/sense.hpp"

namespace hone::edge {

Result<BatchToSend> batch_of(const Segment& segment, const DeviceId& device, const PipelineName& pipeline,
                             const wire::Signal& signal) {
  BatchToSend out;
  const bool same_signal = segment.header.signal == SignalPrint{} || segment.header.signal == print_of(signal);
  wire::Batch batch;
  batch.id = segment.header.batch;
  batch.device = device;
  batch.pipeline = pipeline;
  for (const Record& record : segment.records) {
    const ByteView bytes = ByteView(segment.bytes).subspan(record.offset, record.size);
    if (!same_signal || !check(Sample{bytes, record.label, record.at}, signal)) {
      ++out.rows_refused;
      continue;
    }
    batch.x.insert(batch.x.end(), bytes.begin(), bytes.end());
    batch.y.push_back(record.label);
    batch.t.push_back(unix_ms(record.at));
  }
  out.rows = batch.rows();
  if (out.rows == 0) return out;
  HONE_TRY(out.body, wire::encode(batch, signal));
  return out;
}

Result<wire::BatchReply> send_batch(HttpClient& cloud, const PipelineName& pipeline, Bytes body) {
  HttpRequest request;
  request.method = "POST";
  request.path = "/v1/pipelines/" + pipeline.value + "/batches";
  request.headers["content-type"] = "application/zstd";
  request.body = std::move(body);
  HttpClient::Limits limits;
  limits.timeout = kUploadTimeout;
  HONE_TRY(const HttpResponse response, cloud.send(request, limits));
  if (!response.ok()) return fail(error_of(response).within("upload"));
  HONE_TRY(const Json json, parse_json(response.body));
  return wire::batch_reply_from(json);
}

}  // namespace hone::edge
