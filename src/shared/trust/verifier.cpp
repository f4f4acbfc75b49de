#include "shared/trust/verifier.hpp"

#include "base/hash.hpp"
#include "shared/trust/envelope.hpp"

namespace hone::trust {
namespace {

tl::unexpected<Error> refuse(RoleName role, std::string_view why) {
  return fail(Code::untrusted, std::string(name_of(role)) + " metadata: " + std::string(why));
}

template <class T>
struct Opened {
  Envelope envelope;
  T value;
};

template <class T>
Result<Opened<T>> open(RoleName role, ByteView bytes, Result<T> (*parse)(const Json&)) {
  auto envelope = envelope_from(bytes);
  if (!envelope) return refuse(role, envelope.error().context);
  auto value = parse(envelope->content);
  if (!value) return refuse(role, value.error().context);
  return Opened<T>{std::move(*envelope), std::move(*value)};
}

Result<> check_signed(const Envelope& envelope, const Root& root, RoleName role) {
  return check_threshold(envelope, root.roles.at(role), root.keys, name_of(role));
}

}  // namespace

Result<Verified<Root>> Verifier::anchor(ByteView bytes) {
  HONE_TRY(auto root, open(RoleName::root, bytes, root_from));
  HONE_CHECK(check_signed(root.envelope, root.value, RoleName::root));
  return Verified<Root>(std::move(root.value));
}

Result<Verified<Root>> Verifier::next_root(const Verified<Root>& trusted, ByteView bytes) {
  HONE_TRY(auto root, open(RoleName::root, bytes, root_from));
  if (auto by_old = check_signed(root.envelope, *trusted, RoleName::root); !by_old) {
    return fail(by_old.error().within("by the keys of root version " + std::to_string(trusted->version)));
  }
  if (auto by_new = check_signed(root.envelope, root.value, RoleName::root); !by_new) {
    return fail(by_new.error().within("by the keys that it names itself"));
  }
  if (root.value.version != trusted->version + 1) {
    return refuse(RoleName::root, "version " + std::to_string(root.value.version) + " does not follow version " +
                                      std::to_string(trusted->version));
  }
  return Verified<Root>(std::move(root.value));
}

Result<Verified<Timestamp>> Verifier::timestamp(const Verified<Root>& root, ByteView bytes) {
  HONE_TRY(auto timestamp, open(RoleName::timestamp, bytes, timestamp_from));
  HONE_CHECK(check_signed(timestamp.envelope, *root, RoleName::timestamp));
  return Verified<Timestamp>(std::move(timestamp.value));
}

Result<Verified<Snapshot>> Verifier::snapshot(const Verified<Root>& root, ByteView bytes) {
  HONE_TRY(auto snapshot, open(RoleName::snapshot, bytes, snapshot_from));
  HONE_CHECK(check_signed(snapshot.envelope, *root, RoleName::snapshot));
  return Verified<Snapshot>(std::move(snapshot.value));
}

Result<Verified<Targets>> Verifier::targets(const Verified<Root>& root, ByteView bytes) {
  HONE_TRY(auto targets, open(RoleName::targets, bytes, targets_from));
  HONE_CHECK(check_signed(targets.envelope, *root, RoleName::targets));
  return Verified<Targets>(std::move(targets.value));
}

Result<Verified<wire::TargetFile>> Verifier::target(const Verified<Targets>& targets, const std::string& path) {
  const auto found = targets->files.find(path);
  if (found == targets->files.end()) return fail(Code::untrusted, "the signed metadata names no target " + path);
  return Verified<wire::TargetFile>(found->second);
}

Result<> Verifier::check_content(const wire::TargetFile& file, ByteView bytes) {
  if (bytes.size() != file.bytes) {
    return fail(Code::damaged, file.path + " has " + std::to_string(bytes.size()) + " bytes, " +
                                   std::to_string(file.bytes) + " are signed");
  }
  if (sha256(bytes) != file.sha256) return fail(Code::damaged, file.path + " has another hash than the signed one");
  return {};
}

Result<> check_named(const MetaFile& expected, std::int64_t version, ByteView bytes, std::string_view name) {
  if (expected.length_bytes && *expected.length_bytes != bytes.size()) {
    return fail(Code::untrusted, std::string(name) + " has another length than the signed one");
  }
  if (expected.sha256 && *expected.sha256 != sha256(bytes)) {
    return fail(Code::untrusted, std::string(name) + " has another hash than the signed one");
  }
  if (expected.version != version) {
    return fail(Code::untrusted, std::string(name) + " has version " + std::to_string(version) + ", version " +
                                     std::to_string(expected.version) + " is signed");
  }
  return {};
}

}  // namespace hone::trust
