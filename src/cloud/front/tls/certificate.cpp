#include "cloud/front/tls/certificate.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <ctime>
#include <memory>

namespace hone::cloud {
namespace {

template <auto free_function>
struct Freed {
  template <class T>
  void operator()(T* pointer) const {
    free_function(pointer);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;
using Address = std::unique_ptr<ASN1_OCTET_STRING, Freed<ASN1_OCTET_STRING_free>>;
using BigNumber = std::unique_ptr<BIGNUM, Freed<BN_free>>;

constexpr std::size_t kHostBytesMax = 253;
constexpr std::size_t kCommonNameBytesMax = 64;
constexpr std::size_t kSerialBytes = 16;  // RFC 5280 allows 20

tl::unexpected<Error> failed(const std::string& what) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return fail(Code::unavailable, "OpenSSL could not " + what + ": " + text.data());
}

Bio reader(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

// No key here is encrypted; without this OpenSSL would ask the terminal for a password.
int no_password(char*, int, int, void*) {
  return -1;
}

Result<Certificate> certificate_from(const std::string& pem) {
  Certificate certificate(PEM_read_bio_X509(reader(pem).get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  if (!certificate) return fail(Code::damaged, "not a certificate in PEM form");
  return certificate;
}

Result<Key> key_from(const std::string& pem) {
  Key key(PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  if (!key) return fail(Code::damaged, "not a private key in PEM form");
  return key;
}

Result<std::string> pem_of(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), certificate) != 1) return failed("write a certificate");
  return text_of(bio.get());
}

Result<std::string> pem_of(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_secmem()));
  if (PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return failed("write a private key");
  }
  return text_of(bio.get());
}

std::time_t seconds_of(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

// What authority and server certificates have in common; the issuer's name is set by the caller.
Result<Certificate> begin_certificate(EVP_PKEY* key, const std::string& common_name, Random& random,
                                      Validity validity) {
  Certificate certificate(X509_new());
  std::array<std::uint8_t, kSerialBytes> serial{};
  random.fill(serial);
  serial[0] = static_cast<std::uint8_t>((serial[0] & 0x3f) | 0x40);  // positive, and of full length
  const BigNumber number(BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr));
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  const auto add = [subject](const char* field, const std::string& value) {
    return X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(value.data()),
                                      static_cast<int>(value.size()), -1, 0) == 1;
  };
  const bool done = X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
                    BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate.get())) != nullptr &&
                    ASN1_TIME_set(X509_getm_notBefore(certificate.get()), seconds_of(validity.begin)) != nullptr &&
                    ASN1_TIME_set(X509_getm_notAfter(certificate.get()), seconds_of(validity.end)) != nullptr &&
                    X509_set_pubkey(certificate.get(), key) == 1 && add("O", "hone") && add("CN", common_name);
  if (!done) return failed("begin a certificate");
  return certificate;
}

bool add_extension(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  if (extension == nullptr) return false;
  const bool added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool is_dns_name(const std::string& host) {
  if (host.empty() || host.size() > kHostBytesMax || host.front() == '.' || host.front() == '-') return false;
  return std::all_of(host.begin(), host.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_';
  });
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

Result<Names> alternative_names(const std::vector<std::string>& hosts) {
  Names names(GENERAL_NAMES_new());
  std::set<std::string> seen;
  for (const std::string& host : hosts) {
    HONE_TRY(const std::string subject, subject_name_of(host));
    if (!seen.insert(subject).second) continue;
    GENERAL_NAME* name = GENERAL_NAME_new();
    if (Address address{a2i_IPADDRESS(host.c_str())}) {
      GENERAL_NAME_set0_value(name, GEN_IPADD, address.release());
    } else {
      ASN1_IA5STRING* text = ASN1_IA5STRING_new();
      ASN1_STRING_set(text, host.data(), static_cast<int>(host.size()));
      GENERAL_NAME_set0_value(name, GEN_DNS, text);
    }
    sk_GENERAL_NAME_push(names.get(), name);
  }
  ERR_clear_error();
  return names;
}

std::string name_of(const GENERAL_NAME* name) {
  int kind = 0;
  const auto* value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(name, &kind));
  if (kind != GEN_IPADD && kind != GEN_DNS) return "other";
  const ByteView bytes(ASN1_STRING_get0_data(value), static_cast<std::size_t>(ASN1_STRING_length(value)));
  return kind == GEN_IPADD ? "IP:" + to_hex(bytes) : "DNS:" + lower(to_string(bytes));
}

Result<Time> time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return fail(Code::damaged, "a certificate without a valid time");
  return Time(std::chrono::seconds(timegm(&parts)));
}

}  // namespace

Result<std::string> make_private_key() {
  const Key key(EVP_EC_gen("P-256"));
  if (!key) return failed("make a private key");
  return pem_of(key.get());
}

Result<std::string> make_authority(const std::string& private_key_pem, Random& random, Validity validity) {
  HONE_TRY(const Key key, key_from(private_key_pem));
  // The name is drawn, so that a device that has met two authorities never takes one for the other.
  HONE_TRY(const Certificate certificate,
           begin_certificate(key.get(), "hone local authority " + random.hex(4), random, validity));
  X509* const self = certificate.get();
  const bool done = X509_set_issuer_name(self, X509_get_subject_name(self)) == 1 &&
                    add_extension(self, self, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    add_extension(self, self, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                    add_extension(self, self, NID_subject_key_identifier, "hash") &&
                    add_extension(self, self, NID_authority_key_identifier, "keyid:always") &&
                    X509_sign(self, key.get(), EVP_sha256()) > 0;
  if (!done) return failed("make a certificate authority");
  return pem_of(self);
}

Result<KeyedCertificate> make_server_certificate(const KeyedCertificate& authority,
                                                 const std::vector<std::string>& names, Random& random,
                                                 Validity validity) {
  if (names.empty()) return fail(Code::invalid, "a server certificate needs at least one host name or address");
  HONE_TRY(const Key authority_key, key_from(authority.private_key_pem));
  HONE_TRY(const Certificate issuer, certificate_from(authority.certificate_pem));
  HONE_TRY(const Names alternatives, alternative_names(names));
  KeyedCertificate made;
  HONE_TRY(made.private_key_pem, make_private_key());
  HONE_TRY(const Key key, key_from(made.private_key_pem));
  const std::string common_name = names.front().substr(0, kCommonNameBytesMax);
  HONE_TRY(const Certificate certificate, begin_certificate(key.get(), common_name, random, validity));
  X509* const self = certificate.get();
  const bool done = X509_set_issuer_name(self, X509_get_subject_name(issuer.get())) == 1 &&
                    add_extension(self, issuer.get(), NID_basic_constraints, "critical,CA:FALSE") &&
                    add_extension(self, issuer.get(), NID_key_usage, "critical,digitalSignature") &&
                    add_extension(self, issuer.get(), NID_ext_key_usage, "serverAuth") &&
                    add_extension(self, issuer.get(), NID_subject_key_identifier, "hash") &&
                    add_extension(self, issuer.get(), NID_authority_key_identifier, "keyid:always") &&
                    X509_add1_ext_i2d(self, NID_subject_alt_name, alternatives.get(), 0, 0) == 1 &&
                    X509_sign(self, authority_key.get(), EVP_sha256()) > 0;
  if (!done) return failed("make a server certificate");
  HONE_TRY(made.certificate_pem, pem_of(self));
  return made;
}

Result<std::string> subject_name_of(const std::string& host) {
  const Address address(a2i_IPADDRESS(host.c_str()));
  ERR_clear_error();
  if (address) {
    return "IP:" +
           to_hex({ASN1_STRING_get0_data(address.get()), static_cast<std::size_t>(ASN1_STRING_length(address.get()))});
  }
  if (is_dns_name(host)) return "DNS:" + lower(host);
  return fail(Code::invalid, "\"" + host + "\" is neither a host name nor an IP address");
}

Result<CertificateFacts> facts_of(const std::string& certificate_pem) {
  HONE_TRY(const Certificate certificate, certificate_from(certificate_pem));
  CertificateFacts facts;
  HONE_TRY(facts.validity.begin, time_of(X509_get0_notBefore(certificate.get())));
  HONE_TRY(facts.validity.end, time_of(X509_get0_notAfter(certificate.get())));
  const Names names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    facts.names.insert(name_of(sk_GENERAL_NAME_value(names.get(), i)));
  }
  ERR_clear_error();
  return facts;
}

bool belongs(const KeyedCertificate& pair) {
  const auto certificate = certificate_from(pair.certificate_pem);
  const auto key = key_from(pair.private_key_pem);
  const bool matches = certificate && key && X509_check_private_key(certificate->get(), key->get()) == 1;
  ERR_clear_error();
  return matches;
}

bool is_issued_by(const std::string& certificate_pem, const std::string& authority_pem) {
  const auto certificate = certificate_from(certificate_pem);
  const auto authority = certificate_from(authority_pem);
  const bool issued = certificate && authority &&
                      X509_check_issued(authority->get(), certificate->get()) == X509_V_OK &&
                      X509_verify(certificate->get(), X509_get0_pubkey(authority->get())) == 1;
  ERR_clear_error();
  return issued;
}

}  // namespace hone::cloud
