#include "trainer/command/command_host.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace hone::trainer {
namespace {

constexpr std::size_t kNameBytesMax = 64;

bool plain(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= kNameBytesMax && name[0] != '.' && name[0] != '-' &&
         std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace

Result<std::string> find_command(const CommandHost& host, std::string_view name) {
  const std::string shown = "'" + std::string(name.substr(0, kNameBytesMax)) + "'";
  if (host.programs.empty())
    return fail(Code::invalid,
                "this trainer runs no commands; start it with --commands DIR, a folder that holds " + shown);
  if (!plain(name))
    return fail(Code::invalid, "the command " + shown +
                                   " is no plain file name: name a file in the folder that the trainer was started "
                                   "with (--commands), up to 64 of a-z A-Z 0-9 . _ -");
  const std::string path = host.programs + "/" + std::string(name);
  std::error_code ec;
  if (!std::filesystem::is_regular_file(path, ec))
    return fail(Code::invalid, "the command " + shown + " is not in " + host.programs +
                                   ", the trainer's folder of commands (--commands); put it there");
  if (::access(path.c_str(), X_OK) != 0) return fail(Code::invalid, path + " may not be executed; run chmod +x on it");
  return path;
}

}  // namespace hone::trainer
