#include "shared/trust/metadata.hpp"

#include <algorithm>

namespace hone::trust {
namespace {

constexpr std::size_t kPathBytesMax = 1024;

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

}  // namespace

std::string_view name_of(RoleName role) {
  switch (role) {
    case RoleName::root: return "root";
    case RoleName::timestamp: return "timestamp";
    case RoleName::snapshot: return "snapshot";
    case RoleName::targets: return "targets";
  }
  return "unknown";
}

bool is_safe_target_path(std::string_view path) {
  if (path.empty() || path.size() > kPathBytesMax) return false;
  if (std::any_of(path.begin(), path.end(), is_control)) return false;
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

std::string stored_target_path(const wire::TargetFile& file) {
  const std::size_t slash = file.path.rfind('/');
  const std::size_t name_at = slash == std::string::npos ? 0 : slash + 1;
  return file.path.substr(0, name_at) + file.sha256.hex() + "." + file.path.substr(name_at);
}

}  // namespace hone::trust
