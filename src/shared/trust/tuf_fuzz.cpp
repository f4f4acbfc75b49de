// Metadata from outside: whatever the bytes, parsing ends in a value or an error, and what parses
// has one canonical form that parses to itself.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "shared/trust/canonical_json.hpp"
#include "shared/trust/envelope.hpp"
#include "shared/trust/metadata.hpp"
#include "shared/trust/verifier.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hone;
  const ByteView bytes(data, size);
  (void)trust::Verifier::anchor(bytes);
  const auto envelope = trust::envelope_from(bytes);
  if (!envelope) return 0;
  const auto again = trust::canonical_json(envelope->content);
  if (!again || *again != envelope->canonical_content) std::abort();
  // Write what was read and read it: the typed values must survive.
  if (const auto root = trust::root_from(envelope->content)) {
    const auto back = trust::root_from(trust::to_json(*root));
    if (!back || back->version != root->version || back->keys != root->keys) std::abort();
  }
  if (const auto timestamp = trust::timestamp_from(envelope->content)) {
    const auto back = trust::timestamp_from(trust::to_json(*timestamp));
    if (!back || back->snapshot.version != timestamp->snapshot.version) std::abort();
  }
  if (const auto snapshot = trust::snapshot_from(envelope->content)) {
    const auto back = trust::snapshot_from(trust::to_json(*snapshot));
    if (!back || back->files.size() != snapshot->files.size()) std::abort();
  }
  if (const auto targets = trust::targets_from(envelope->content)) {
    const auto back = trust::targets_from(trust::to_json(*targets));
    if (!back || back->files.size() != targets->files.size() || back->delegations != targets->delegations) std::abort();
  }
  return 0;
}
