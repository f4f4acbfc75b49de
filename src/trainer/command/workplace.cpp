#include "trainer/command/workplace.hpp"

#include <filesystem>
#include <system_error>

namespace hone::trainer {
namespace {

namespace fs = std::filesystem;

}  // namespace

Result<Workplace> Workplace::make(const CommandHost& host) {
  std::error_code ec;
  const fs::path folder = fs::absolute(host.scratch, ec);
  if (!ec) fs::remove_all(folder, ec);  // what a trainer that was killed left
  if (!ec) fs::create_directories(folder, ec);
  if (ec) return fail(Code::unavailable, host.scratch + ": " + ec.message());
  return Workplace(host, folder.string());
}

Workplace::~Workplace() {
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

Result<> Workplace::write(const std::string& name, ByteView bytes) const {
  HONE_TRY(const auto file, host_.files.open(path(name), OpenMode::truncate));
  return file->write_at(0, bytes);
}

Result<Bytes> Workplace::read(const std::string& name, std::uint64_t bytes_max) const {
  std::error_code ec;
  const auto status = fs::symlink_status(path(name), ec);  // a pipe would keep us waiting, a link lead elsewhere
  if (!fs::exists(status)) return fail(Code::invalid, name + " was not written");
  if (!fs::is_regular_file(status)) return fail(Code::invalid, name + " is no regular file");
  const std::uintmax_t size = fs::file_size(path(name), ec);
  if (!ec && size > bytes_max)
    return fail(Code::invalid,
                name + " has " + std::to_string(size) + " bytes; at most " + std::to_string(bytes_max) + " are taken");
  return read_file(host_.files, path(name), bytes_max);
}

}  // namespace hone::trainer
