#include "cloud/service/registry.hpp"

#include <algorithm>
#include <utility>

namespace hone::cloud {

Result<std::unique_ptr<Registry>> Registry::open(Files& files, const std::vector<std::string>& paths, Check check) {
  std::unique_ptr<Registry> registry(new Registry(files, std::move(check)));
  for (const auto& path : paths) {
    auto bytes = read_file(files, path, kPipelineBytesMax);
    if (!bytes) return fail(bytes.error().within("pipeline file " + path));
    Source source;
    source.path = path;
    source.seen = sha256(*bytes);
    HONE_TRY(source.entry.pipeline, registry->read(path, *bytes));
    for (const auto& other : registry->sources_) {
      if (other.entry.pipeline->name == source.entry.pipeline->name) {
        return fail(Code::invalid, path + " and " + other.path + " both name the pipeline '" +
                                       source.entry.pipeline->name.value + "': rename one");
      }
    }
    registry->sources_.push_back(std::move(source));
  }
  return registry;
}

std::vector<Registry::Entry> Registry::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> entries;
  for (const auto& source : sources_) entries.push_back(source.entry);
  return entries;
}

Result<std::shared_ptr<const Pipeline>> Registry::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  std::string known;
  for (const auto& source : sources_) {
    const auto& pipeline = source.entry.pipeline;
    if (pipeline->name.value == name) return pipeline;
    known += (known.empty() ? "" : ", ") + pipeline->name.value;
  }
  return fail(Code::not_found,
              "there is no pipeline '" + std::string(name.substr(0, 64)) + "' here" +
                  (known.empty() ? std::string(": start hone-cloud with a pipeline file") : "; there is " + known));
}

bool Registry::reload() {
  std::vector<Source> sources;
  {
    const std::lock_guard lock(mutex_);
    sources = sources_;
  }
  bool changed = false;
  for (auto& source : sources) {
    auto bytes = read_file(files_, source.path, kPipelineBytesMax);
    if (!bytes) {
      source.entry.file_error = bytes.error().within(source.path).context;
      source.seen = {};
      continue;
    }
    const Sha256 hash = sha256(*bytes);
    if (hash == source.seen) continue;
    source.seen = hash;
    auto edited = read(source.path, *bytes);
    if (edited && (*edited)->name != source.entry.pipeline->name) {
      edited = fail(Code::invalid, source.path + ": the pipeline '" + source.entry.pipeline->name.value +
                                       "' cannot change its name while the server runs: restart it");
    }
    if (!edited) {
      source.entry.file_error = edited.error().context;
      continue;
    }
    source.entry = {std::move(*edited), {}};
    changed = true;
  }
  const std::lock_guard lock(mutex_);
  sources_ = std::move(sources);
  return changed;
}

Result<std::shared_ptr<const Pipeline>> Registry::read(const std::string& path, const Bytes& bytes) const {
  const auto slash = path.find_last_of('/');
  HONE_TRY(auto pipeline, parse_pipeline(as_text(bytes), slash == std::string::npos ? path : path.substr(slash + 1)));
  HONE_CHECK(check_(pipeline));
  return std::make_shared<const Pipeline>(std::move(pipeline));
}

}  // namespace hone::cloud
