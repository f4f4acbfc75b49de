// Proof types: a Verified<T> can only be made by code that checked T against signed metadata, so
// a function that takes one cannot be handed unchecked data.
#pragma once

#include <utility>

namespace hone::trust {

template <class T>
class Verified {
 public:
  [[nodiscard]] const T& operator*() const { return value_; }
  [[nodiscard]] const T* operator->() const { return &value_; }

 private:
  friend struct Verifier;  // shared/trust/verifier.hpp: the only door
  explicit Verified(T value) : value_(std::move(value)) {}
  T value_;
};

}  // namespace hone::trust
