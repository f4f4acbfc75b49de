#include "programs.hpp"

#include "platform/posix/child_process.hpp"

namespace hone::app {

Result<std::string> program(const std::string& name, const std::string& otherwise) {
  if (auto path = platform::find_program(name)) return *path;
  return fail(Code::not_found, "the program " + name + " is not beside hone: " + otherwise);
}

}  // namespace hone::app
