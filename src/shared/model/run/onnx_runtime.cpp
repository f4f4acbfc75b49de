#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/model/run/onnx_library.hpp"
#include "shared/model/run/runtime.hpp"

namespace hone::model {
namespace {

constexpr const char* kInputName = "x";
constexpr std::string_view kAnomalyOutput = "anomaly";
constexpr std::int64_t kWidthMax = 1 << 20;

// Owns one object of the C API.
template <class T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

ONNXTensorElementDataType element_type(wire::DType dtype) {
  switch (dtype) {
    case wire::DType::uint8: return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8;
    case wire::DType::int8: return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8;
    case wire::DType::int16: return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16;
    case wire::DType::int32: return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32;
    case wire::DType::float32: return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
  }
  return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

std::string shape_text(const std::vector<std::int64_t>& dims) {
  std::string text = "[";
  for (std::size_t i = 0; i < dims.size(); ++i)
    text += (i ? "," : "") + (dims[i] < 0 ? std::string("N") : std::to_string(dims[i]));
  return text + "]";
}

// What the graph says of one input or output.
struct Port {
  std::string name;
  ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  std::vector<std::int64_t> dims;
};

// Calls into the C API with the error turned into ours.
struct Ort {
  const OrtApi* api;
  OrtEnv* env;

  Result<> check(OrtStatus* status, const char* doing) const {
    if (!status) return {};
    std::string why = api->GetErrorMessage(status);
    api->ReleaseStatus(status);
    if (why.size() > 300) why.resize(300);
    return fail(Code::damaged, std::string(doing) + ": " + why);
  }
};

class OnnxRunner : public Runner {
 public:
  OnnxRunner(Ort ort, Owned<OrtSession> session, Owned<OrtMemoryInfo> memory, const wire::Signal& signal,
             std::string output, std::int64_t width)
      : ort_(ort),
        session_(std::move(session)),
        memory_(std::move(memory)),
        dims_(signal.shape),
        type_(element_type(signal.dtype)),
        element_bytes_(wire::size_of(signal.dtype)),
        sample_bytes_(signal.sample_bytes()),
        output_(std::move(output)),
        width_(width) {}

  [[nodiscard]] std::int64_t width() const override { return width_; }

  [[nodiscard]] Result<> run(ByteView inputs, std::int64_t rows, std::span<float> outputs) const override {
    if (rows < 1 || inputs.size() / sample_bytes_ != static_cast<std::uint64_t>(rows) ||
        inputs.size() % sample_bytes_ != 0) {
      return fail(Code::invalid, std::to_string(rows) + " rows need " + std::to_string(sample_bytes_) +
                                     " bytes each; got " + std::to_string(inputs.size()) + " bytes");
    }
    if (outputs.size() / static_cast<std::size_t>(width_) < static_cast<std::size_t>(rows)) {
      return fail(Code::invalid, "the outputs need " + std::to_string(width_) + " floats a row");
    }
    // The runtime reads elements in place; raw bytes may lie at any address.
    Bytes aligned;
    if (reinterpret_cast<std::uintptr_t>(inputs.data()) % element_bytes_ != 0) {
      aligned.assign(inputs.begin(), inputs.end());
      inputs = aligned;
    }

    std::array<std::int64_t, 8> in_dims{};  // a signal has rank 1 to 4
    in_dims[0] = rows;
    for (std::size_t i = 0; i < dims_.size(); ++i) in_dims[i + 1] = dims_[i];
    OrtValue* x = nullptr;
    HONE_CHECK(
        ort_.check(ort_.api->CreateTensorWithDataAsOrtValue(memory_.get(), const_cast<std::uint8_t*>(inputs.data()),
                                                            inputs.size(), in_dims.data(), dims_.size() + 1, type_, &x),
                   "input tensor"));
    const Owned<OrtValue> x_owned(x, ort_.api->ReleaseValue);

    const std::array<std::int64_t, 2> out_dims{rows, width_};
    const std::size_t out_bytes = static_cast<std::size_t>(rows * width_) * sizeof(float);
    OrtValue* y = nullptr;
    HONE_CHECK(
        ort_.check(ort_.api->CreateTensorWithDataAsOrtValue(memory_.get(), outputs.data(), out_bytes, out_dims.data(),
                                                            2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &y),
                   "output tensor"));
    const Owned<OrtValue> y_owned(y, ort_.api->ReleaseValue);

    const char* in_name = kInputName;
    const char* out_name = output_.c_str();
    const OrtValue* in = x;
    return ort_.check(ort_.api->Run(session_.get(), nullptr, &in_name, &in, 1, &out_name, 1, &y), "run the model");
  }

 private:
  const Ort ort_;
  const Owned<OrtSession> session_;
  const Owned<OrtMemoryInfo> memory_;
  const std::vector<std::int64_t> dims_;
  const ONNXTensorElementDataType type_;
  const std::size_t element_bytes_;
  const std::size_t sample_bytes_;
  const std::string output_;
  const std::int64_t width_;
};

class OnnxRuntime : public Runtime {
 public:
  explicit OnnxRuntime(Ort ort) : ort_(ort) {}

  [[nodiscard]] Result<std::unique_ptr<Runner>> load(ByteView onnx, const wire::Signal& signal) override {
    HONE_CHECK(wire::check(signal));
    if (onnx.empty()) return fail(Code::damaged, "the model file is empty");
    HONE_TRY(auto options, session_options());
    OrtSession* raw = nullptr;
    HONE_CHECK(ort_.check(ort_.api->CreateSessionFromArray(ort_.env, onnx.data(), onnx.size(), options.get(), &raw),
                          "load the model"));
    Owned<OrtSession> session(raw, ort_.api->ReleaseSession);

    HONE_TRY(const auto output, checked_output(session.get(), signal));
    OrtMemoryInfo* memory = nullptr;
    HONE_CHECK(ort_.check(ort_.api->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &memory), "memory"));
    Owned<OrtMemoryInfo> owned_memory(memory, ort_.api->ReleaseMemoryInfo);
    return std::make_unique<OnnxRunner>(ort_, std::move(session), std::move(owned_memory), signal, output.name,
                                        output.dims[1]);
  }

 private:
  Result<Owned<OrtSessionOptions>> session_options() const {
    OrtSessionOptions* raw = nullptr;
    HONE_CHECK(ort_.check(ort_.api->CreateSessionOptions(&raw), "session options"));
    Owned<OrtSessionOptions> options(raw, ort_.api->ReleaseSessionOptions);
    // The application's threads are the only ones: one of them runs a whole inference, nothing spins.
    HONE_CHECK(ort_.check(ort_.api->SetIntraOpNumThreads(raw, 1), "one thread"));
    HONE_CHECK(ort_.check(ort_.api->SetInterOpNumThreads(raw, 1), "one thread"));
    HONE_CHECK(ort_.check(ort_.api->SetSessionExecutionMode(raw, ORT_SEQUENTIAL), "sequential"));
    HONE_CHECK(ort_.check(ort_.api->AddSessionConfigEntry(raw, "session.intra_op.allow_spinning", "0"), "no spinning"));
    // No arena: it grows by powers of two and gives nothing back, while a device holds two models at
    // most for a moment and one for months.
    HONE_CHECK(ort_.check(ort_.api->DisableCpuMemArena(raw), "no arena"));
    HONE_CHECK(ort_.check(ort_.api->SetSessionLogSeverityLevel(raw, ORT_LOGGING_LEVEL_ERROR), "log level"));
    return options;
  }

  // Refuses what is not [N, ...signal.shape] in and [N, width] float32 out; returns the output.
  Result<Port> checked_output(const OrtSession* session, const wire::Signal& signal) const {
    std::size_t inputs = 0, outputs = 0;
    HONE_CHECK(ort_.check(ort_.api->SessionGetInputCount(session, &inputs), "inputs"));
    HONE_CHECK(ort_.check(ort_.api->SessionGetOutputCount(session, &outputs), "outputs"));
    if (inputs != 1)
      return fail(Code::invalid, "the model has " + std::to_string(inputs) + " inputs; it must have one, named x");
    if (outputs < 1) return fail(Code::invalid, "the model has no output");

    const auto found = port(session, true);
    if (!found) return fail(found.error());
    const Port& in = *found;
    if (in.name != kInputName) return fail(Code::invalid, "the model's input is named '" + in.name + "'; it must be x");
    if (in.type != element_type(signal.dtype)) {
      return fail(Code::invalid,
                  "the model's input x is not of the signal's dtype " + std::string(wire::name_of(signal.dtype)));
    }
    std::vector<std::int64_t> wanted{-1};
    wanted.insert(wanted.end(), signal.shape.begin(), signal.shape.end());
    if (in.dims != wanted) {
      return fail(Code::invalid,
                  "the model's input x has shape " + shape_text(in.dims) + "; the signal needs " + shape_text(wanted));
    }

    auto out_port = port(session, false);
    if (!out_port) return out_port;
    const Port& out = *out_port;
    if (out.type != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT || out.dims.size() != 2 || out.dims[0] != -1 ||
        out.dims[1] < 1 || out.dims[1] > kWidthMax) {
      return fail(Code::invalid, "the model's first output " + out.name + " " + shape_text(out.dims) +
                                     " must be [N, width] of float32");
    }
    const bool scores_anomalies = out.name == kAnomalyOutput;
    if (!scores_anomalies && !signal.labels.empty() && out.dims[1] != static_cast<std::int64_t>(signal.labels.size())) {
      return fail(Code::invalid, "the model gives " + std::to_string(out.dims[1]) + " scores, the signal has " +
                                     std::to_string(signal.labels.size()) + " labels");
    }
    return out_port;
  }

  // The first input or output.
  Result<Port> port(const OrtSession* session, bool input) const {
    const OrtApi* api = ort_.api;
    Port result;
    OrtAllocator* allocator = nullptr;
    HONE_CHECK(ort_.check(api->GetAllocatorWithDefaultOptions(&allocator), "allocator"));
    char* name = nullptr;
    HONE_CHECK(ort_.check(input ? api->SessionGetInputName(session, 0, allocator, &name)
                                : api->SessionGetOutputName(session, 0, allocator, &name),
                          "name"));
    result.name = name;
    HONE_CHECK(ort_.check(api->AllocatorFree(allocator, name), "name"));

    OrtTypeInfo* info = nullptr;
    HONE_CHECK(ort_.check(
        input ? api->SessionGetInputTypeInfo(session, 0, &info) : api->SessionGetOutputTypeInfo(session, 0, &info),
        "type"));
    const Owned<OrtTypeInfo> owned(info, api->ReleaseTypeInfo);
    const OrtTensorTypeAndShapeInfo* tensor = nullptr;  // belongs to `info`
    HONE_CHECK(ort_.check(api->CastTypeInfoToTensorInfo(info, &tensor), "type"));
    if (!tensor) return fail(Code::invalid, "'" + result.name + "' is not a tensor");
    HONE_CHECK(ort_.check(api->GetTensorElementType(tensor, &result.type), "type"));
    std::size_t rank = 0;
    HONE_CHECK(ort_.check(api->GetDimensionsCount(tensor, &rank), "shape"));
    if (rank > 16) return fail(Code::invalid, "'" + result.name + "' has " + std::to_string(rank) + " dimensions");
    result.dims.resize(rank);
    HONE_CHECK(ort_.check(api->GetDimensions(tensor, result.dims.data(), rank), "shape"));
    return result;
  }

  const Ort ort_;
};

}  // namespace

Result<std::unique_ptr<Runtime>> make_onnx_runtime() {
  HONE_TRY(const OnnxLibrary library, onnx_library());
  return std::make_unique<OnnxRuntime>(Ort{library.api, library.env});
}

}  // namespace hone::model
