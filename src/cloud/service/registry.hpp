// The pipeline files: read at the start, and again when they change. An edit that is broken leaves the
// pipeline as it was and shows its error. Safe for use by several threads.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "shared/pipeline/pipeline.hpp"

namespace hone::cloud {

class Registry {
 public:
  struct Entry {
    std::shared_ptr<const Pipeline> pipeline;
    std::string file_error;  // of the last edit; empty: the file is what runs
  };
  // Refuses a pipeline that does not go with what is stored.
  using Check = std::function<Result<>(const Pipeline&)>;

  // `files` must outlive it. The first reading must succeed for every file.
  [[nodiscard]] static Result<std::unique_ptr<Registry>> open(Files& files, const std::vector<std::string>& paths,
                                                              Check check);

  [[nodiscard]] std::vector<Entry> all() const;
  [[nodiscard]] Result<std::shared_ptr<const Pipeline>> find(std::string_view name) const;  // not_found

  // Looks at each file; true when a pipeline changed.
  bool reload();

 private:
  struct Source {
    std::string path;
    Sha256 seen{};  // of the file's bytes at the last look
    Entry entry;
  };
  Registry(Files& files, Check check) : files_(files), check_(std::move(check)) {}
  [[nodiscard]] Result<std::shared_ptr<const Pipeline>> read(const std::string& path, const Bytes& bytes) const;

  Files& files_;
  const Check check_;
  mutable std::mutex mutex_;
  std::vector<Source> sources_;  // guarded by mutex_
};

}  // namespace hone::cloud
