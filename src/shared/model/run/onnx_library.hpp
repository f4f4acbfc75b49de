// Opens the ONNX Runtime library at run time and finds the API level that both sides know.
//
// It is opened, not linked, so that one build of hone runs with the library of any distribution:
// the symbol version of a linked one must match exactly. Looked for, in this order:
// $HONE_ONNXRUNTIME, the path found when hone was built, libonnxruntime.so.1, libonnxruntime.so.
#pragma once

#include <onnxruntime_c_api.h>

#include "base/result.hpp"

namespace hone::model {

struct OnnxLibrary {
  const OrtApi* api = nullptr;  // never null
  OrtEnv* env = nullptr;        // never null; the one of the process, never released
};

// The same library for every caller in the process; safe from several threads. `damaged` when none
// can be opened, or it is too old; the sentence names every path that was tried.
[[nodiscard]] Result<OnnxLibrary> onnx_library();

}  // namespace hone::model
