// Who may do what: enrolment tokens, device secrets, the trainer's and the admin's token.
//
// A device's secret is HMAC(server key, token + nonce): the database holds only its SHA-256, and yet a
// device that lost power before it stored the answer gets the same one again for the same token and nonce.
// Safe for use by several threads.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.hpp"
#include "base/http.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "cloud/service/credential_store.hpp"
#include "shared/wire/messages.hpp"

namespace hone::cloud {

enum class Who : std::uint8_t { anybody, device, trainer, admin };

struct Caller {
  Who who = Who::anybody;
  DeviceId device;        // for a device
  PipelineName pipeline;  // that it was enrolled for
};

struct Enrolled {
  DeviceId device;
  std::string secret;
  PipelineName pipeline;
};

class Access {
 public:
  // Makes <folder>/{service.key,trainer.json,admin.json} when absent, all readable by their owner only.
  // `url` and `ca_pem` are written into the access files anew when they changed; tokens stay.
  [[nodiscard]] static Result<std::unique_ptr<Access>> open(Files& files, Random& random, const std::string& folder,
                                                            const std::string& url, const std::string& ca_pem,
                                                            CredentialStore& store);

  // From the Authorization header; `anybody` without one. `untrusted` for one that is wrong.
  [[nodiscard]] Result<Caller> authenticate(const HttpRequest& request) const;

  [[nodiscard]] Result<std::vector<std::string>> new_tokens(const PipelineName& pipeline, std::int64_t count,
                                                            Time expires);
  // `untrusted` for a token that is unknown, used or expired, each with its own sentence.
  [[nodiscard]] Result<Enrolled> enroll(const std::string& token, const std::string& nonce, Time now);

  [[nodiscard]] const wire::AccessFile& trainer() const { return trainer_; }
  [[nodiscard]] const wire::AccessFile& admin() const { return admin_; }

 private:
  Access(Random& random, CredentialStore& store) : random_(random), store_(store) {}

  std::mutex random_mutex_;
  Random& random_;  // guarded by random_mutex_
  CredentialStore& store_;
  // Constant after open().
  Bytes key_;
  wire::AccessFile trainer_, admin_;
};

}  // namespace hone::cloud
