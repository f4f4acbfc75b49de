#include "shared/model/run/onnx_library.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#ifndef HONE_ONNXRUNTIME_LIBRARY
#define HONE_ONNXRUNTIME_LIBRARY ""
#endif

namespace hone::model {
namespace {

// The functions we call are there since this level (ONNX Runtime 1.14, 2023).
constexpr std::uint32_t kApiLevelMin = 14;

std::vector<std::string> candidates() {
  std::vector<std::string> paths;
  if (const char* chosen = std::getenv("HONE_ONNXRUNTIME"); chosen && *chosen) return {chosen};
  if (std::string_view built = HONE_ONNXRUNTIME_LIBRARY; !built.empty()) paths.emplace_back(built);
  paths.emplace_back("libonnxruntime.so.1");
  paths.emplace_back("libonnxruntime.so");
  return paths;
}

// "1.21.0" offers API levels up to 21. Asking for a higher one makes the library write to stderr.
std::uint32_t level_offered(const char* version) {
  const std::string_view text = version ? version : "";
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return 0;
  std::uint32_t level = 0;
  for (std::size_t i = dot + 1; i < text.size() && text[i] >= '0' && text[i] <= '9' && level < 10000; ++i) {
    level = level * 10 + static_cast<std::uint32_t>(text[i] - '0');
  }
  return level;
}

Result<OnnxLibrary> open_library() {
  std::string tried;
  void* library = nullptr;
  for (const std::string& path : candidates()) {
    // Never closed: its threads and its allocator may outlive every session.
    library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library) break;
    const char* why = dlerror();
    tried += (tried.empty() ? "" : "; ") + std::string(why ? why : path);
  }
  if (!library) {
    return fail(Code::damaged, "ONNX Runtime cannot be opened (" + tried +
                                   "); install libonnxruntime or set HONE_ONNXRUNTIME to its file");
  }
  using GetBase = const OrtApiBase* (*)();
  const auto get_base = reinterpret_cast<GetBase>(dlsym(library, "OrtGetApiBase"));
  const OrtApiBase* base = get_base ? get_base() : nullptr;
  if (!base)
    return fail(Code::damaged,
                "the library named as ONNX Runtime has no OrtGetApiBase; set HONE_ONNXRUNTIME to the right file");

  const std::uint32_t offered = level_offered(base->GetVersionString());
  const OrtApi* api =
      offered < kApiLevelMin ? nullptr : base->GetApi(std::min<std::uint32_t>(ORT_API_VERSION, offered));
  if (!api) {
    return fail(Code::damaged, std::string("ONNX Runtime ") + base->GetVersionString() + " is too old; hone needs 1." +
                                   std::to_string(kApiLevelMin) + " or newer");
  }
  OrtEnv* env = nullptr;
  if (OrtStatus* status = api->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "hone", &env)) {
    std::string why = api->GetErrorMessage(status);
    api->ReleaseStatus(status);
    return fail(Code::damaged, "ONNX Runtime cannot start: " + why);
  }
  // Nothing about the device's models leaves it through somebody else's telemetry.
  if (OrtStatus* status = api->DisableTelemetryEvents(env)) api->ReleaseStatus(status);
  return OnnxLibrary{api, env};
}

}  // namespace

Result<OnnxLibrary> onnx_library() {
  static const Result<OnnxLibrary> library = open_library();
  return library;
}

}  // namespace hone::model
