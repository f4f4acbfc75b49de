// The hint port: "something may have changed, look now". Hints may be lost, doubled or forged;
// acting on one is always safe, because what it points at is pulled and verified.
#pragma once

#include <string>
#include <string_view>

namespace hone {

// The device's end. poll() does bounded work, never blocks, and reconnects by itself.
class HintSource {
 public:
  virtual ~HintSource() = default;
  [[nodiscard]] virtual bool poll() = 0;  // true when a hint came since the last call
};

// The cloud's end: publish `payload` for `pipeline`, retained. Never blocks, never fails: a
// hint that cannot be sent is dropped.
class HintSink {
 public:
  virtual ~HintSink() = default;
  virtual void publish(std::string_view pipeline, std::string_view payload) = 0;
};

}  // namespace hone
