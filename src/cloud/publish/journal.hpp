// The write-ahead journal of one publication: the metadata files that it puts up, in order. Once
// the journal is durable the publication happens, whatever crashes after; before that nobody has
// seen any of it. So a version number is never given to two contents, and never goes back.
//
// It is kept until the next publication replaces it: {"files": [{"name": "...", "text": "..."}]}.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/files.hpp"

namespace hone::cloud {

struct MetadataFile {
  std::string name;  // "7.snapshot.json"; "timestamp.json" comes last
  Bytes bytes;
};

class Journal {
 public:
  // `path` is the journal's file, `metadata` the folder that is hosted. `files` must outlive it.
  Journal(Files& files, std::string path, std::string metadata)
      : files_(files), path_(std::move(path)), metadata_(std::move(metadata)) {}

  // Makes the publication durable, then puts it up. After an error it is not known whether it was
  // decided: recover() tells.
  [[nodiscard]] Result<> publish(const std::vector<MetadataFile>& publication);

  // Puts up what is left of the last publication, if there is any. Doing it again is harmless.
  [[nodiscard]] Result<> recover();

  // Whether there has ever been a publication.
  [[nodiscard]] Result<bool> begun() { return files_.exists(path_); }

 private:
  [[nodiscard]] Result<> put_up(const std::vector<MetadataFile>& publication);
  [[nodiscard]] Result<bool> is_up(const MetadataFile& file);

  Files& files_;
  std::string path_;
  std::string metadata_;
};

}  // namespace hone::cloud
