#include "cloud/publish/journal.hpp"

#include <utility>

#include "base/json.hpp"
#include "shared/trust/metadata.hpp"

namespace hone::cloud {
namespace {

constexpr std::uint64_t kJournalBytesMax = 64 * 1024 * 1024;

Bytes to_bytes(const std::vector<MetadataFile>& publication) {
  Json list = Json::array();
  for (const MetadataFile& file : publication) list.push_back({{"name", file.name}, {"text", as_text(file.bytes)}});
  return dump_bytes({{"files", std::move(list)}});
}

Result<std::vector<MetadataFile>> publication_from(ByteView bytes) {
  HONE_TRY(const Json json, parse_json(bytes));
  HONE_TRY(const Json* list, get_array(json, "files"));
  std::vector<MetadataFile> publication;
  for (const Json& item : *list) {
    MetadataFile file;
    HONE_TRY(file.name, get_string(item, "name"));
    HONE_TRY(const std::string text, get_string(item, "text"));
    file.bytes = hone::to_bytes(text);
    publication.push_back(std::move(file));
  }
  return publication;
}

}  // namespace

Result<> Journal::publish(const std::vector<MetadataFile>& publication) {
  HONE_CHECK(write_file_atomically(files_, path_, to_bytes(publication)));
  return put_up(publication);
}

Result<> Journal::recover() {
  const auto bytes = read_file(files_, path_, kJournalBytesMax);
  if (!bytes && bytes.error().code == Code::not_found) return {};
  if (!bytes) return fail(bytes.error().within("read the publication journal"));
  auto publication = publication_from(*bytes);
  if (!publication)
    return fail(Code::damaged, path_ + ": " + publication.error().context + "; restore it from a backup");
  if (publication->empty()) return {};
  // The file may be found while its name is not durable yet, and so may the last file put up.
  HONE_CHECK(files_.sync_folder(folder_of(path_)));
  HONE_TRY(const bool done, is_up(publication->back()));
  if (done) return files_.sync_folder(metadata_);
  return put_up(*publication);
}

Result<bool> Journal::is_up(const MetadataFile& file) {
  const auto bytes = read_file(files_, metadata_ + "/" + file.name, trust::kTargetsBytesMax);
  if (!bytes && (bytes.error().code == Code::not_found || bytes.error().code == Code::invalid)) return false;
  if (!bytes) return fail(std::move(bytes).error());
  return *bytes == file.bytes;
}

Result<> Journal::put_up(const std::vector<MetadataFile>& publication) {
  for (const MetadataFile& file : publication) {
    HONE_CHECK(write_file_atomically(files_, metadata_ + "/" + file.name, file.bytes));
  }
  return {};
}

}  // namespace hone::cloud
