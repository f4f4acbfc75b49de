// Trades a ticket for the device's own credential.
#pragma once

#include <string>

#include "base/http.hpp"
#include "shared/wire/messages.hpp"

namespace hone::edge {

// The same ticket and nonce get the same reply again, so a power cut between the answer and its
// storing costs nothing. Errors: unavailable (try later), untrusted (make a new ticket).
[[nodiscard]] Result<wire::EnrollReply> enroll(HttpClient& cloud, const wire::Ticket& ticket, const std::string& nonce);

// "Bearer <device>.<secret>"
[[nodiscard]] std::string authorization_of(const wire::EnrollReply& credential);

}  // namespace hone::edge
