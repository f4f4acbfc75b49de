#include "edge/swap/live_model.hpp"

#include <cmath>
#include <string>
#include <vector>

namespace hone::edge {

Result<std::unique_ptr<LiveModel>> LiveModel::self_tested(model::Runtime& runtime, ByteView onnx,
                                                          const wire::ReleaseManifest& manifest) {
  HONE_TRY(auto runner, runtime.load(onnx, manifest.signal));
  HONE_CHECK(self_test(*runner, manifest.self_test));
  return std::unique_ptr<LiveModel>(new LiveModel(std::move(runner), manifest.seq));
}

Result<std::unique_ptr<LiveModel>> LiveModel::installed(model::Runtime& runtime, ByteView onnx,
                                                        const wire::Signal& signal, ReleaseSeq release) {
  HONE_TRY(auto runner, runtime.load(onnx, signal));
  return std::unique_ptr<LiveModel>(new LiveModel(std::move(runner), release));
}

Result<> self_test(const model::Runner& runner, const wire::SelfTest& test) {
  if (test.rows < 1) return fail(Code::damaged, "self-test: the manifest has no rows");
  const auto width = static_cast<std::size_t>(runner.width());
  if (test.outputs.size() != static_cast<std::size_t>(test.rows) * width) {
    return fail(Code::damaged, "self-test: the manifest expects " + std::to_string(test.outputs.size()) +
                                   " outputs, the model gives " +
                                   std::to_string(static_cast<std::size_t>(test.rows) * width));
  }
  std::vector<float> outputs(test.outputs.size());
  if (auto ran = runner.run(test.inputs, test.rows, outputs); !ran)
    return fail(Code::damaged, "self-test: " + ran.error().context);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const float difference = std::fabs(outputs[i] - test.outputs[i]);
    if (!(difference <= test.tolerance)) {  // also when it is not a number
      return fail(Code::damaged, "self-test: row " + std::to_string(i / width) + " differs by " +
                                     std::to_string(difference) + ", at most " + std::to_string(test.tolerance) +
                                     " is allowed");
    }
  }
  return {};
}

}  // namespace hone::edge
