// The folder in which one command works: emptied and made, and removed with all that is in it at the end.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "trainer/command/command_host.hpp"

namespace hone::trainer {

class Workplace {
 public:
  [[nodiscard]] static Result<Workplace> make(const CommandHost& host);
  ~Workplace();
  Workplace(Workplace&& other) noexcept : host_(other.host_), folder_(std::exchange(other.folder_, {})) {}
  Workplace& operator=(Workplace&&) = delete;

  [[nodiscard]] const std::string& folder() const { return folder_; }  // absolute
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  [[nodiscard]] Result<> write(const std::string& name, ByteView bytes) const;

  // What a command was to leave there. `invalid`, with a sentence that begins with `name`, when there is no such file,
  // when it is no regular file, or when it is larger.
  [[nodiscard]] Result<Bytes> read(const std::string& name, std::uint64_t bytes_max) const;

 private:
  Workplace(const CommandHost& host, std::string folder) : host_(host), folder_(std::move(folder)) {}
  const CommandHost& host_;
  std::string folder_;
};

}  // namespace hone::trainer
