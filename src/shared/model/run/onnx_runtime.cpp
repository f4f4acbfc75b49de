#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/model/run/onnx_library.hpp"
#include "shared/model/run/run_limit.hpp"
#include "shared/model/run/runtime.hpp"

namespace hone::model {
namespace {

constexpr const char* kInputName = "x";
constexpr std::string_view kAnomalyOutput = "anomaly";
constexpr std::int64_t kWidthMax = 1 << 20;
constexpr std::size_t kRankMax = 16;

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

Result<wire::DType> dtype_of(ONNXTensorElementDataType type) {
  for (const wire::DType dtype : {wire::DType::uint8, wire::DType::int8, wire::DType::int16, wire::DType::int32,
                                  wire::DType::float32})
    if (element_type(dtype) == type) return dtype;
  return fail(Code::invalid, "the model's input x is of a type that no signal has: uint8, int8, int16, int32 or float32");
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

// An output that run() fetches.
struct Output {
  std::string name;
  std::vector<std::int64_t> dims;  // -1 first, the batch axis
  std::int64_t width = 0;          // floats of one row
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
             Output output, std::optional<Output> further, Duration run_max)
      : ort_(ort),
        session_(std::move(session)),
        memory_(std::move(memory)),
        dims_(signal.shape),
        type_(element_type(signal.dtype)),
        element_bytes_(wire::size_of(signal.dtype)),
        sample_bytes_(signal.sample_bytes()),
        output_(std::move(output)),
        further_(std::move(further)),
        run_max_(run_max) {}

  [[nodiscard]] std::int64_t width() const override { return output_.width; }
  [[nodiscard]] bool scores_anomalies() const override { return output_.name == kAnomalyOutput; }
  [[nodiscard]] std::int64_t further_width() const override { return further_ ? further_->width : 0; }

  [[nodiscard]] Result<> run(ByteView inputs, std::int64_t rows, std::span<float> outputs,
                             std::span<float> further) const override {
    if (rows < 1 || inputs.size() / sample_bytes_ != static_cast<std::uint64_t>(rows) ||
        inputs.size() % sample_bytes_ != 0) {
      return fail(Code::invalid, std::to_string(rows) + " rows need " + std::to_string(sample_bytes_) +
                                     " bytes each; got " + std::to_string(inputs.size()) + " bytes");
    }
    if (further.size() > 0 && !further_) return fail(Code::invalid, "no further output was asked for at loading");
    HONE_CHECK(check_room(output_, rows, outputs));
    if (further.size() > 0) HONE_CHECK(check_room(*further_, rows, further));
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

    HONE_TRY(const auto y, output_tensor(output_, rows, outputs));
    std::array<OrtValue*, 2> out{y.get(), nullptr};
    std::array<const char*, 2> out_names{output_.name.c_str(), nullptr};
    std::size_t outs = 1;
    Owned<OrtValue> second(nullptr, ort_.api->ReleaseValue);
    if (further.size() > 0) {
      HONE_TRY(second, output_tensor(*further_, rows, further));
      out[outs] = second.get();
      out_names[outs++] = further_->name.c_str();
    }
    const char* in_name = kInputName;
    const OrtValue* in = x;
    const auto run_with = [&](const OrtRunOptions* options) {
      return ort_.check(ort_.api->Run(session_.get(), options, &in_name, &in, 1, out_names.data(), outs, out.data()),
                        "run the model");
    };
    return run_max_ == Duration(0) ? run_with(nullptr) : limited(run_with);
  }

 private:
  template <class Run>
  Result<> limited(const Run& run_with) const {
    OrtRunOptions* raw = nullptr;
    HONE_CHECK(ort_.check(ort_.api->CreateRunOptions(&raw), "run options"));
    const Owned<OrtRunOptions> options(raw, ort_.api->ReleaseRunOptions);
    RunLimit limit(ort_.api, raw, run_max_);
    const Result<> ran = run_with(raw);
    if (limit.finish() && !ran)
      return fail(Code::damaged, "the model did not answer within " + std::to_string(run_max_.count()) + " ms");
    return ran;
  }

  static Result<> check_room(const Output& output, std::int64_t rows, std::span<float> room) {
    if (room.size() / static_cast<std::size_t>(output.width) >= static_cast<std::size_t>(rows)) return {};
    return fail(Code::invalid,
                "the output '" + output.name + "' needs " + std::to_string(output.width) + " floats a row");
  }

  // Over the caller's memory: the runtime writes straight into it.
  Result<Owned<OrtValue>> output_tensor(const Output& output, std::int64_t rows, std::span<float> room) const {
    std::array<std::int64_t, kRankMax> dims{};
    std::copy(output.dims.begin(), output.dims.end(), dims.begin());
    dims[0] = rows;
    const std::size_t bytes = static_cast<std::size_t>(rows * output.width) * sizeof(float);
    OrtValue* value = nullptr;
    HONE_CHECK(ort_.check(
        ort_.api->CreateTensorWithDataAsOrtValue(memory_.get(), room.data(), bytes, dims.data(), output.dims.size(),
                                                 ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &value),
        "output tensor"));
    return Owned<OrtValue>(value, ort_.api->ReleaseValue);
  }

  const Ort ort_;
  const Owned<OrtSession> session_;
  const Owned<OrtMemoryInfo> memory_;
  const std::vector<std::int64_t> dims_;
  const ONNXTensorElementDataType type_;
  const std::size_t element_bytes_;
  const std::size_t sample_bytes_;
  const Output output_;
  const std::optional<Output> further_;
  const Duration run_max_;  // zero: none
};

class OnnxRuntime : public Runtime {
 public:
  OnnxRuntime(Ort ort, Duration run_max) : ort_(ort), run_max_(run_max) {}

  [[nodiscard]] Result<wire::Signal> signal_of(ByteView onnx) override {
    HONE_TRY(const auto session, open(onnx));
    HONE_TRY(const Port in, input_port(session.get()));
    if (in.dims.empty() || in.dims[0] != -1)
      return fail(Code::invalid, "the model's input x " + shape_text(in.dims) + " must begin with a free batch axis");
    wire::Signal signal;
    HONE_TRY(signal.dtype, dtype_of(in.type));
    signal.shape.assign(in.dims.begin() + 1, in.dims.end());
    if (auto checked = wire::check(signal); !checked)
      return fail(checked.error().within("the model's input x " + shape_text(in.dims)));
    return signal;
  }

  [[nodiscard]] Result<std::unique_ptr<Runner>> load(ByteView onnx, const wire::Signal& signal,
                                                     std::string_view further_name) override {
    HONE_CHECK(wire::check(signal));
    HONE_TRY(auto session, open(onnx));
    HONE_TRY(auto output, checked_output(session.get(), signal));
    std::optional<Output> further;
    if (!further_name.empty()) {
      HONE_TRY(further, further_output(session.get(), further_name));
    }
    OrtMemoryInfo* memory = nullptr;
    HONE_CHECK(ort_.check(ort_.api->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &memory), "memory"));
    Owned<OrtMemoryInfo> owned_memory(memory, ort_.api->ReleaseMemoryInfo);
    return std::make_unique<OnnxRunner>(ort_, std::move(session), std::move(owned_memory), signal,
                                        std::move(output), std::move(further), run_max_);
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

  Result<Owned<OrtSession>> open(ByteView onnx) const {
    if (onnx.empty()) return fail(Code::damaged, "the model file is empty");
    HONE_TRY(auto options, session_options());
    OrtSession* raw = nullptr;
    HONE_CHECK(ort_.check(ort_.api->CreateSessionFromArray(ort_.env, onnx.data(), onnx.size(), options.get(), &raw),
                          "load the model"));
    return Owned<OrtSession>(raw, ort_.api->ReleaseSession);
  }

  // The only input, which is named x.
  Result<Port> input_port(const OrtSession* session) const {
    std::size_t inputs = 0;
    HONE_CHECK(ort_.check(ort_.api->SessionGetInputCount(session, &inputs), "inputs"));
    if (inputs != 1)
      return fail(Code::invalid, "the model has " + std::to_string(inputs) + " inputs; it must have one, named x");
    HONE_TRY(Port in, port(session, true, 0));
    if (in.name != kInputName) return fail(Code::invalid, "the model's input is named '" + in.name + "'; it must be x");
    return in;
  }

  // Refuses what is not [N, ...signal.shape] in and [N, width] float32 out; returns the output.
  Result<Output> checked_output(const OrtSession* session, const wire::Signal& signal) const {
    std::size_t outputs = 0;
    HONE_TRY(const Port in, input_port(session));
    HONE_CHECK(ort_.check(ort_.api->SessionGetOutputCount(session, &outputs), "outputs"));
    if (outputs < 1) return fail(Code::invalid, "the model has no output");

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

    HONE_TRY(const Port out, port(session, false, 0));
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
    return Output{out.name, out.dims, out.dims[1]};
  }

  // [N, ...] of float32, by its name.
  Result<Output> further_output(const OrtSession* session, std::string_view name) const {
    std::size_t outputs = 0;
    HONE_CHECK(ort_.check(ort_.api->SessionGetOutputCount(session, &outputs), "outputs"));
    for (std::size_t index = 1; index < outputs; ++index) {
      HONE_TRY(Port out, port(session, false, index));
      if (out.name != name) continue;
      std::int64_t width = out.dims.size() < 2 ? 0 : 1;
      for (std::size_t axis = 1; axis < out.dims.size() && width > 0; ++axis)
        width = out.dims[axis] < 1 || out.dims[axis] > kWidthMax / width ? 0 : width * out.dims[axis];
      if (out.type != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT || width == 0 || out.dims[0] != -1)
        return fail(Code::invalid,
                    "the model's output " + out.name + " " + shape_text(out.dims) + " must be [N, ...] of float32");
      return Output{std::move(out.name), std::move(out.dims), width};
    }
    return fail(Code::invalid, "the model has no second output '" + std::string(name) + "'");
  }

  Result<Port> port(const OrtSession* session, bool input, std::size_t index) const {
    const OrtApi* api = ort_.api;
    Port result;
    OrtAllocator* allocator = nullptr;
    HONE_CHECK(ort_.check(api->GetAllocatorWithDefaultOptions(&allocator), "allocator"));
    char* name = nullptr;
    HONE_CHECK(ort_.check(input ? api->SessionGetInputName(session, index, allocator, &name)
                                : api->SessionGetOutputName(session, index, allocator, &name),
                          "name"));
    result.name = name;
    HONE_CHECK(ort_.check(api->AllocatorFree(allocator, name), "name"));

    OrtTypeInfo* info = nullptr;
    HONE_CHECK(ort_.check(
        input ? api->SessionGetInputTypeInfo(session, index, &info)
              : api->SessionGetOutputTypeInfo(session, index, &info),
        "type"));
    const Owned<OrtTypeInfo> owned(info, api->ReleaseTypeInfo);
    const OrtTensorTypeAndShapeInfo* tensor = nullptr;  // belongs to `info`
    HONE_CHECK(ort_.check(api->CastTypeInfoToTensorInfo(info, &tensor), "type"));
    if (!tensor) return fail(Code::invalid, "'" + result.name + "' is not a tensor");
    HONE_CHECK(ort_.check(api->GetTensorElementType(tensor, &result.type), "type"));
    std::size_t rank = 0;
    HONE_CHECK(ort_.check(api->GetDimensionsCount(tensor, &rank), "shape"));
    if (rank > kRankMax) return fail(Code::invalid, "'" + result.name + "' has " + std::to_string(rank) + " dimensions");
    result.dims.resize(rank);
    HONE_CHECK(ort_.check(api->GetDimensions(tensor, result.dims.data(), rank), "shape"));
    return result;
  }

  const Ort ort_;
  const Duration run_max_;
};

}  // namespace

Result<std::unique_ptr<Runtime>> make_onnx_runtime(Duration run_max) {
  HONE_TRY(const OnnxLibrary library, onnx_library());
  return std::make_unique<OnnxRuntime>(Ort{library.api, library.env}, run_max);
}

}  // namespace hone::model
