#include "cloud/front/tls/local_ca.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "cloud/front/tls/certificate.hpp"
#include "platform/posix/posix.hpp"
#include "platform/sim/sim.hpp"

namespace hone::cloud {
namespace {

using std::chrono::days;
using std::chrono::hours;

const Time kNow = *from_rfc3339("2026-11-23T00:00:00Z");
const std::vector<std::string> kHosts = {"127.0.0.1", "localhost", "::1", "Cloud.example"};

class LocalCa : public testing::Test {
 protected:
  Result<LocalTls> open(Time now = kNow, const std::vector<std::string>& hosts = kHosts) {
    return open_local_tls(files, random, "tls", hosts, now);
  }
  platform::SimFiles files;
  platform::SimRandom random{11};
};

struct Free {
  void operator()(X509* p) const { X509_free(p); }
  void operator()(X509_STORE* p) const { X509_STORE_free(p); }
  void operator()(X509_STORE_CTX* p) const { X509_STORE_CTX_free(p); }
  void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
  void operator()(SSL* p) const { SSL_free(p); }
};

std::unique_ptr<X509, Free> parse(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  std::unique_ptr<X509, Free> certificate(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
  BIO_free(bio);
  return certificate;
}

// OpenSSL's own strict judgement of the chain, as a TLS client that knows only `ca_pem` makes it.
int verify(const std::string& ca_pem, const std::string& certificate_pem, const std::string& host, Time at) {
  const auto ca = parse(ca_pem);
  const auto certificate = parse(certificate_pem);
  const std::unique_ptr<X509_STORE, Free> store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), ca.get());
  const std::unique_ptr<X509_STORE_CTX, Free> context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), certificate.get(), nullptr);
  X509_VERIFY_PARAM* wanted = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(wanted, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
  X509_VERIFY_PARAM_set_purpose(wanted, X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM_set_time(wanted, unix_ms(at) / 1000);
  if (X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) != 1) X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), 0);
  X509_verify_cert(context.get());
  return X509_STORE_CTX_get_error(context.get());
}

TEST_F(LocalCa, CertificateIsGoodForEveryHostAndNoOther) {
  const auto tls = open();
  ASSERT_TRUE(tls) << tls.error().context;
  for (const std::string host : {"127.0.0.1", "localhost", "::1", "cloud.example"}) {
    EXPECT_EQ(verify(tls->ca_pem, tls->certificate_pem, host, kNow), X509_V_OK) << host;
  }
  EXPECT_EQ(verify(tls->ca_pem, tls->certificate_pem, "127.0.0.2", kNow), X509_V_ERR_IP_ADDRESS_MISMATCH);
  EXPECT_EQ(verify(tls->ca_pem, tls->certificate_pem, "evil.example", kNow), X509_V_ERR_HOSTNAME_MISMATCH);
  EXPECT_EQ(verify(tls->ca_pem, tls->certificate_pem, "localhost", kNow + days(91)), X509_V_ERR_CERT_HAS_EXPIRED);
  EXPECT_EQ(verify(tls->ca_pem, tls->certificate_pem, "localhost", kNow - hours(2)), X509_V_ERR_CERT_NOT_YET_VALID);
}

TEST_F(LocalCa, AnotherAuthorityIsNotBelieved) {
  const auto tls = open();
  const auto other = open_local_tls(files, random, "other", kHosts, kNow);
  ASSERT_TRUE(tls && other);
  EXPECT_NE(verify(other->ca_pem, tls->certificate_pem, "localhost", kNow), X509_V_OK);
}

TEST_F(LocalCa, ExtensionsSayWhatEachMayDo) {
  const auto tls = open();
  ASSERT_TRUE(tls);
  const auto ca = parse(tls->ca_pem);
  const auto server = parse(tls->certificate_pem);
  EXPECT_EQ(X509_get_extension_flags(ca.get()) & (EXFLAG_CA | EXFLAG_CRITICAL | EXFLAG_INVALID), EXFLAG_CA | 0u);
  EXPECT_EQ(X509_get_pathlen(ca.get()), 0);
  EXPECT_EQ(X509_get_key_usage(ca.get()), std::uint32_t{KU_KEY_CERT_SIGN | KU_CRL_SIGN});
  EXPECT_EQ(X509_get_extension_flags(server.get()) & (EXFLAG_CA | EXFLAG_INVALID), 0u);
  EXPECT_EQ(X509_get_key_usage(server.get()), std::uint32_t{KU_DIGITAL_SIGNATURE});
  EXPECT_EQ(X509_get_extended_key_usage(server.get()), std::uint32_t{XKU_SSL_SERVER});
  ASSERT_NE(X509_get0_subject_key_id(ca.get()), nullptr);
  ASSERT_NE(X509_get0_authority_key_id(server.get()), nullptr);
  EXPECT_EQ(ASN1_OCTET_STRING_cmp(X509_get0_subject_key_id(ca.get()), X509_get0_authority_key_id(server.get())), 0);
  EXPECT_NE(ASN1_INTEGER_cmp(X509_get0_serialNumber(ca.get()), X509_get0_serialNumber(server.get())), 0);
  EXPECT_EQ(ASN1_STRING_length(X509_get0_serialNumber(server.get())), 16);
}

TEST_F(LocalCa, ReopensWithTheSameFiles) {
  const auto first = open();
  const auto again = open(kNow + days(59), {"cloud.example", "::1", "localhost", "127.0.0.1", "localhost"});
  ASSERT_TRUE(first && again);
  EXPECT_EQ(first->ca_pem, again->ca_pem);
  EXPECT_EQ(first->certificate_pem, again->certificate_pem);
  EXPECT_EQ(first->private_key_pem, again->private_key_pem);
}

TEST_F(LocalCa, RenewsTheServerCertificateInTheLastThirdOfItsLife) {
  const auto first = open();
  const auto later = open(kNow + days(61));
  ASSERT_TRUE(first && later);
  EXPECT_EQ(first->ca_pem, later->ca_pem);
  EXPECT_NE(first->certificate_pem, later->certificate_pem);
  EXPECT_EQ(verify(first->ca_pem, later->certificate_pem, "localhost", kNow + days(150)), X509_V_OK);
}

TEST_F(LocalCa, RenewsTheServerCertificateWhenHostsChange) {
  const auto first = open();
  const auto later = open(kNow, {"127.0.0.1", "new.example"});
  ASSERT_TRUE(first && later);
  EXPECT_EQ(verify(first->ca_pem, later->certificate_pem, "new.example", kNow), X509_V_OK);
  EXPECT_EQ(verify(first->ca_pem, later->certificate_pem, "localhost", kNow), X509_V_ERR_HOSTNAME_MISMATCH);
}

TEST_F(LocalCa, RefusesWhatIsNoHost) {
  for (const std::string host : {"", "a b", "https://x", "x/y", "DNS:x,IP:1.2.3.4", "-x"}) {
    const auto tls = open(kNow, {host});
    ASSERT_FALSE(tls) << host;
    EXPECT_EQ(tls.error().code, Code::invalid);
  }
  EXPECT_FALSE(open(kNow, {}));
}

TEST_F(LocalCa, NeverReplacesAnAuthorityThatItCannotUse) {
  ASSERT_TRUE(open());
  const Bytes ca = *read_file(files, "tls/ca.pem", 65536);
  ASSERT_TRUE(files.remove("tls/ca.key"));
  EXPECT_EQ(open().error().code, Code::invalid);
  ASSERT_TRUE(write_file_atomically(files, "tls/ca.key", as_bytes("rotten")));
  EXPECT_EQ(open().error().code, Code::damaged);
  EXPECT_EQ(*read_file(files, "tls/ca.pem", 65536), ca);
}

TEST_F(LocalCa, ReplacesADamagedServerCertificate) {
  const auto first = open();
  ASSERT_TRUE(write_file_atomically(files, "tls/server.pem", as_bytes("rotten")));
  const auto again = open();
  ASSERT_TRUE(again);
  EXPECT_EQ(verify(first->ca_pem, again->certificate_pem, "localhost", kNow), X509_V_OK);
}

TEST_F(LocalCa, SurvivesAPowerCutAtEveryOperation) {
  for (std::uint64_t cut = 0;; ++cut) {
    SCOPED_TRACE("power cut at operation " + std::to_string(cut));
    platform::SimFiles disk;
    platform::SimRandom dice(70 + cut);
    disk.cut_power_at(cut);
    const auto first = open_local_tls(disk, dice, "tls", kHosts, kNow);
    disk.reboot(dice);
    const auto tls = open_local_tls(disk, dice, "tls", kHosts, kNow);
    ASSERT_TRUE(tls) << tls.error().context;
    EXPECT_EQ(verify(tls->ca_pem, tls->certificate_pem, "localhost", kNow), X509_V_OK);
    if (first) {
      EXPECT_EQ(first->ca_pem, tls->ca_pem);
      EXPECT_EQ(first->certificate_pem, tls->certificate_pem);
      return;
    }
  }
}

// The whole handshake, in memory: OpenSSL on both sides.
TEST_F(LocalCa, CarriesATlsHandshake) {
  const auto tls = open();
  ASSERT_TRUE(tls);
  const std::unique_ptr<SSL_CTX, Free> server_context(SSL_CTX_new(TLS_server_method()));
  const auto certificate = parse(tls->certificate_pem);
  BIO* key_bio = BIO_new_mem_buf(tls->private_key_pem.data(), static_cast<int>(tls->private_key_pem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(key_bio, nullptr, nullptr, nullptr);
  ASSERT_EQ(SSL_CTX_use_certificate(server_context.get(), certificate.get()), 1);
  ASSERT_EQ(SSL_CTX_use_PrivateKey(server_context.get(), key), 1);
  EVP_PKEY_free(key);
  BIO_free(key_bio);
  const std::unique_ptr<SSL_CTX, Free> client_context(SSL_CTX_new(TLS_client_method()));
  const auto ca = parse(tls->ca_pem);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(client_context.get()), ca.get());
  SSL_CTX_set_verify(client_context.get(), SSL_VERIFY_PEER, nullptr);
  const std::unique_ptr<SSL, Free> server(SSL_new(server_context.get()));
  const std::unique_ptr<SSL, Free> client(SSL_new(client_context.get()));
  SSL_set1_host(client.get(), "localhost");
  X509_VERIFY_PARAM_set_time(SSL_get0_param(client.get()), unix_ms(kNow) / 1000);
  BIO* a = nullptr;
  BIO* b = nullptr;
  ASSERT_EQ(BIO_new_bio_pair(&a, 0, &b, 0), 1);
  SSL_set_bio(server.get(), a, a);
  SSL_set_bio(client.get(), b, b);
  SSL_set_accept_state(server.get());
  SSL_set_connect_state(client.get());
  for (int i = 0; i < 10 && !(SSL_is_init_finished(server.get()) && SSL_is_init_finished(client.get())); ++i) {
    SSL_do_handshake(client.get());
    SSL_do_handshake(server.get());
  }
  EXPECT_TRUE(SSL_is_init_finished(client.get()));
  EXPECT_EQ(SSL_get_verify_result(client.get()), X509_V_OK);
}

TEST(LocalCaOnDisk, KeepsItsKeysPrivate) {
  const auto files = platform::make_posix_files();
  const auto random = platform::make_system_random();
  std::string folder = testing::TempDir() + "hone_local_ca_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const auto tls = open_local_tls(*files, *random, folder + "/tls", kHosts, kNow);
  ASSERT_TRUE(tls) << tls.error().context;
  for (const std::string name : {"ca.key", "server.key"}) {
    struct stat info {};
    ASSERT_EQ(stat((folder + "/tls/" + name).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777u, 0600u) << name;
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace hone::cloud
