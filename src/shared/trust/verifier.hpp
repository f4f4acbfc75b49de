// The only door to Verified<T>: bytes in, proof out. Each function checks signatures against the
// root that is trusted; what needs a memory or a clock (rollback, expiry, the order of the
// workflow) is edge/verify's. Every refusal is `untrusted`, and says which check said no.
#pragma once

#include <string>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "shared/trust/metadata.hpp"
#include "shared/trust/verified.hpp"

namespace hone::trust {

struct Verifier {
  // A root that came from a source trusted for other reasons (enrolment, the own disk): must be
  // signed by the keys that it names itself.
  [[nodiscard]] static Result<Verified<Root>> anchor(ByteView bytes);

  // Sections 5.3.4 and 5.3.5: signed by a threshold of the trusted root and of its own, and
  // exactly one version higher.
  [[nodiscard]] static Result<Verified<Root>> next_root(const Verified<Root>& trusted, ByteView bytes);

  // Sections 5.4.2, 5.5.3, 5.6.3.
  [[nodiscard]] static Result<Verified<Timestamp>> timestamp(const Verified<Root>& root, ByteView bytes);
  [[nodiscard]] static Result<Verified<Snapshot>> snapshot(const Verified<Root>& root, ByteView bytes);
  [[nodiscard]] static Result<Verified<Targets>> targets(const Verified<Root>& root, ByteView bytes);

  // What verified targets metadata says of a path.
  [[nodiscard]] static Result<Verified<wire::TargetFile>> target(const Verified<Targets>& targets,
                                                                 const std::string& path);

  // The bytes of a target (section 5.7.2), parsed: `damaged` when length or hash differ from what
  // is signed, `untrusted` when signed bytes do not parse. `parse` makes a Result<T> of a ByteView.
  template <class Parse>
  [[nodiscard]] static auto content(const Verified<wire::TargetFile>& file, ByteView bytes, const Parse& parse)
      -> Result<Verified<typename decltype(parse(bytes))::value_type>> {
    using T = typename decltype(parse(bytes))::value_type;
    HONE_CHECK(check_content(*file, bytes));
    auto parsed = parse(bytes);
    if (!parsed) return fail(Code::untrusted, file->path + ": " + parsed.error().context);
    return Verified<T>(std::move(*parsed));
  }

 private:
  [[nodiscard]] static Result<> check_content(const wire::TargetFile& file, ByteView bytes);
};

// Sections 5.5.2, 5.5.4, 5.6.2, 5.6.4: whether bytes of `version` are those that `expected` speaks of.
[[nodiscard]] Result<> check_named(const MetaFile& expected, std::int64_t version, ByteView bytes,
                                   std::string_view name);

}  // namespace hone::trust
