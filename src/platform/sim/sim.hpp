// The base ports simulated: a clock that is set, a disk that loses power, a network that fails.
// Everything is driven by one seed, so that a seed reproduces a run.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/files.hpp"
#include "base/hints.hpp"
#include "base/http.hpp"
#include "base/random.hpp"
#include "base/time.hpp"

namespace hone::platform {

class SimClock : public Clock {
 public:
  explicit SimClock(Time start) : now_(start) {}
  [[nodiscard]] Time now() const override { return now_; }
  void advance(Duration d) { now_ += d; }

 private:
  Time now_;
};

class SimRandom : public Random {  // splitmix64
 public:
  explicit SimRandom(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<std::uint8_t> out) override;
  [[nodiscard]] std::uint64_t next();
  [[nodiscard]] double uniform();  // [0, 1)

 private:
  std::uint64_t state_;
};

// A disk in memory that knows what is durable, exactly as base/files.hpp promises it and no better:
// bytes after File::sync(), names after sync_folder() of the folder that holds them (which goes for
// each folder that make_folders made, too). Every mutating call counts as one operation: write_at,
// truncate, sync, open to create or truncate, and all of Files but exists, list and open to read.
// "/a", "a" and "./a" are the same file; ".." is refused.
class SimFiles : public Files {
 public:
  struct Disk;  // internal

  SimFiles();
  ~SimFiles() override;
  // The n-th operation from now (1: the next), and every call after it, fails with `unavailable`
  // and changes nothing, until reboot().
  void cut_power_at(std::uint64_t operation);
  [[nodiscard]] std::uint64_t operations() const;  // since construction
  // What a reboot finds: all that was synced; of the rest, a random prefix of each file's writes
  // (the last one torn) and of each folder's names. May be called without a cut. Files that were
  // open before fail with `unavailable` for ever.
  void reboot(SimRandom& random);
  void set_capacity(std::uint64_t bytes);  // no_space beyond it
  // ... Files
  [[nodiscard]] Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  [[nodiscard]] Result<> make_folders(const std::string& path) override;
  [[nodiscard]] Result<> rename(const std::string& from, const std::string& to) override;
  [[nodiscard]] Result<> remove(const std::string& path) override;
  [[nodiscard]] Result<bool> exists(const std::string& path) override;
  [[nodiscard]] Result<std::vector<std::string>> list(const std::string& folder) override;
  [[nodiscard]] Result<> sync_folder(const std::string& folder) override;

 private:
  std::shared_ptr<Disk> disk_;  // open files hold it, too
};

struct NetworkFaults {
  double drop_request = 0;   // lost before the server sees it
  double drop_response = 0;  // the server acted, the client hears nothing
  double truncate = 0;       // the body is cut short: damaged
  double corrupt = 0;        // a byte of the answer's body is flipped
};

// A client that calls `handler` directly, with faults; `authorization` is put on every request.
class SimHttpClient : public HttpClient {
 public:
  SimHttpClient(HttpHandler handler, SimRandom& random, std::string authorization = {});
  NetworkFaults faults;
  bool online = true;
  [[nodiscard]] Result<HttpResponse> send(const HttpRequest& request, const Limits& limits) override;

 private:
  HttpHandler handler_;
  SimRandom& random_;
  std::string authorization_;
};

}  // namespace hone::platform
