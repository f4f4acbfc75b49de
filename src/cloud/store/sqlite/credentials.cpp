#include "cloud/store/sqlite/columns.hpp"
#include "cloud/store/sqlite/stores.hpp"

namespace hone::cloud::sqlite {
namespace {

class SqliteCredentials : public CredentialStore {
 public:
  explicit SqliteCredentials(Database& database) : database_(database) {}

  Result<> add_ticket(const TicketRow& ticket) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_CHECK(tx.run("INSERT INTO tickets (token_sha256, pipeline, expires_ms) VALUES (?1, ?2, ?3)",
                      ticket.token.hex(), ticket.pipeline.value, unix_ms(ticket.expires)));
    return tx.commit();
  }

  Result<std::optional<TicketRow>> ticket(const Sha256& token) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(auto rows,
             tx.query("SELECT pipeline, expires_ms, device, nonce_sha256 FROM tickets WHERE token_sha256 = ?1",
                      token.hex()));
    HONE_TRY(const bool found, rows.next());
    if (!found) return std::nullopt;
    TicketRow ticket;
    ticket.token = token;
    ticket.pipeline = PipelineName(rows.text(0));
    ticket.expires = time_at(rows, 1);
    if (!rows.is_null(2)) ticket.device = DeviceId(rows.text(2));
    if (!rows.is_null(3)) {
      HONE_TRY(ticket.nonce, Sha256::from_hex(rows.text(3)));
    }
    return ticket;
  }

  Result<bool> use_ticket(const Sha256& token, const DeviceId& device, const Sha256& secret,
                          const std::optional<Sha256>& nonce, Time now) override {
    std::optional<std::string> nonce_hex;
    if (nonce) nonce_hex = nonce->hex();
    HONE_TRY(auto tx, database_.begin());
    HONE_CHECK(tx.run("UPDATE tickets SET device = ?2, nonce_sha256 = ?3 WHERE token_sha256 = ?1 AND device IS NULL",
                      token.hex(), device.value, nonce_hex));
    if (tx.changes() != 1) return false;
    HONE_CHECK(
        tx.run("INSERT INTO devices (id, pipeline, secret_sha256, enrolled_ms, seen_ms)"
               " SELECT ?2, pipeline, ?3, ?4, ?4 FROM tickets WHERE token_sha256 = ?1",
               token.hex(), device.value, secret.hex(), unix_ms(now)));
    HONE_CHECK(tx.commit());
    return true;
  }

  Result<std::optional<DeviceCredential>> device(const DeviceId& device) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(auto rows, tx.query("SELECT pipeline, secret_sha256 FROM devices WHERE id = ?1", device.value));
    HONE_TRY(const bool found, rows.next());
    if (!found) return std::nullopt;
    HONE_TRY(const Sha256 secret, Sha256::from_hex(rows.text(1)));
    return DeviceCredential{PipelineName(rows.text(0)), secret};
  }

 private:
  Database& database_;
};

}  // namespace

std::unique_ptr<CredentialStore> make_credential_store(Database& database) {
  return std::make_unique<SqliteCredentials>(database);
}

}  // namespace hone::cloud::sqlite
