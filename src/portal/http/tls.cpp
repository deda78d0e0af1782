// Reads and makes certificates with OpenSSL.
#include "portal/http/tls.h"

#include <ifaddrs.h>
#include <netdb.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <boost/asio/ip/address.hpp>

#include "base/file.h"
#include "base/text.h"

namespace lightship::portal {
namespace {

namespace ssl = boost::asio::ssl;

constexpr std::size_t kMostPem = 256 * 1024;
constexpr auto kValid = std::chrono::days(825), kRenewBefore = std::chrono::days(30);

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* thing) const {
    Free(thing);
  }
};
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;

std::string why() {
  char text[256] = "unknown";
  if (const auto code = ::ERR_get_error(); code != 0) ::ERR_error_string_n(code, text, sizeof text);
  ::ERR_clear_error();
  return text;
}

Certificate first_certificate(std::string_view pem) {
  const Bio bio(::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Certificate(::PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

Time to_time(const ASN1_TIME* asn) {
  std::tm parts{};
  if (::ASN1_TIME_to_tm(asn, &parts) != 1) return {};
  return Time(std::chrono::seconds(::timegm(&parts)));
}

std::string fingerprint(const X509* certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  ::X509_digest(certificate, ::EVP_sha256(), digest, &size);
  std::string text;
  for (unsigned at = 0; at < size; ++at)
    text += fmt::format("{}{:02X}", at == 0 ? "" : ":", digest[at]);
  return text;
}

std::string pem_of(X509* certificate) {
  const Bio bio(::BIO_new(::BIO_s_mem()));
  ::PEM_write_bio_X509(bio.get(), certificate);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

std::string pem_of(EVP_PKEY* key) {
  const Bio bio(::BIO_new(::BIO_s_mem()));
  ::PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

bool extend(X509* certificate, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  ::X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  auto* extension = ::X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
  if (extension == nullptr) return false;
  const bool added = ::X509_add_ext(certificate, extension, -1) == 1;
  ::X509_EXTENSION_free(extension);
  return added;
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::vector<std::string> all;
  for (const auto& name : names) {
    boost::system::error_code no_address;
    boost::asio::ip::make_address(name, no_address);
    all.push_back((no_address ? "DNS:" : "IP:") + name);
  }
  return join(all, ",");
}

Certificate make(EVP_PKEY* key, const std::vector<std::string>& names, Time now) {
  Certificate made(::X509_new());
  auto* x = made.get();
  ::X509_set_version(x, 2);
  const auto serial = now.time_since_epoch().count();
  ::ASN1_INTEGER_set_uint64(::X509_get_serialNumber(x), static_cast<std::uint64_t>(serial));
  // From a day ago: the browser's clock need not be this one.
  const auto begin = std::chrono::floor<std::chrono::seconds>(now) - std::chrono::days(1);
  ::ASN1_TIME_set(X509_getm_notBefore(x), begin.time_since_epoch().count());
  ::ASN1_TIME_set(X509_getm_notAfter(x), (begin + kValid).time_since_epoch().count());
  auto* subject = ::X509_get_subject_name(x);
  const auto put = [&](const char* field, const std::string& text) {
    ::X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0);
  };
  put("O", "Lightship");
  put("CN", names.empty() ? "lightship" : names.front().substr(0, 64));
  ::X509_set_issuer_name(x, subject);
  ::X509_set_pubkey(x, key);
  const bool good = extend(x, NID_basic_constraints, "critical,CA:FALSE") &&
                    extend(x, NID_ext_key_usage, "serverAuth") &&
                    extend(x, NID_subject_alt_name, alternative_names(names)) &&
                    ::X509_sign(x, key, ::EVP_sha256()) != 0;
  return good ? std::move(made) : nullptr;
}

}  // namespace

Result<TlsServer> load_tls(const TlsFiles& files) {
  const auto chain = read_file(files.certificate, kMostPem);
  if (!chain) return fail(chain.error());
  const auto key = read_file(files.key, kMostPem);
  if (!key) return fail(key.error());
  TlsServer server;
  server.context = std::make_shared<ssl::context>(ssl::context::tls_server);
  auto& context = *server.context;
  context.set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 |
                      ssl::context::no_sslv3 | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1 |
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  ::SSL_CTX_set_mode(context.native_handle(), SSL_MODE_RELEASE_BUFFERS);
  boost::system::error_code failed;
  context.use_certificate_chain(boost::asio::buffer(*chain), failed);
  if (failed) {
    ::ERR_clear_error();
    return fail(Errc::invalid, "{} is no certificate in PEM: {}", files.certificate.string(),
                failed.message());
  }
  context.use_private_key(boost::asio::buffer(*key), ssl::context::pem, failed);
  if (failed) {
    ::ERR_clear_error();
    return fail(Errc::invalid, "{} is no key in PEM that fits {}: {}", files.key.string(),
                files.certificate.string(), failed.message());
  }
  if (::SSL_CTX_check_private_key(context.native_handle()) != 1)
    return fail(Errc::invalid, "{} is not the key of {}: {}", files.key.string(),
                files.certificate.string(), why());
  const auto own = first_certificate(*chain);
  if (!own) return fail(Errc::invalid, "{}: {}", files.certificate.string(), why());
  server.fingerprint = fingerprint(own.get());
  server.expires = to_time(::X509_get0_notAfter(own.get()));
  return server;
}

Result<TlsFiles> own_certificate(const std::filesystem::path& folder,
                                 const std::vector<std::string>& names, Time now) {
  const TlsFiles files{folder / "portal-cert.pem", folder / "portal-key.pem"};
  if (const auto there = read_file(files.certificate, kMostPem); there && load_tls(files)) {
    const auto certificate = first_certificate(*there);
    if (certificate && to_time(::X509_get0_notAfter(certificate.get())) > now + kRenewBefore)
      return files;
  }
  const Key key(EVP_EC_gen("P-256"));
  if (!key) return fail(Errc::unavailable, "cannot make a key: {}", why());
  const auto certificate = make(key.get(), names, now);
  if (!certificate) return fail(Errc::unavailable, "cannot make a certificate: {}", why());
  if (auto kept = write_file_atomic(files.key, pem_of(key.get()), 0600); !kept)
    return fail(kept.error());
  if (auto kept = write_file_atomic(files.certificate, pem_of(certificate.get())); !kept)
    return fail(kept.error());
  return files;
}

std::vector<std::string> own_names() {
  std::vector<std::string> names;
  const auto add = [&](std::string name) {
    if (!name.empty() && std::ranges::find(names, name) == names.end())
      names.push_back(std::move(name));
  };
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) == 0) {
    add(host);
    add(std::string(host) + ".local");
  }
  add("localhost");
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) == 0) {
    for (const auto* one = all; one != nullptr; one = one->ifa_next) {
      if (one->ifa_addr == nullptr) continue;
      const int family = one->ifa_addr->sa_family;
      if (family != AF_INET && family != AF_INET6) continue;
      const auto size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
      char text[NI_MAXHOST];
      if (::getnameinfo(one->ifa_addr, static_cast<socklen_t>(size), text, sizeof text, nullptr, 0,
                        NI_NUMERICHOST) == 0 &&
          std::string_view(text).find('%') == std::string_view::npos) {
        add(text);
      }
    }
    ::freeifaddrs(all);
  }
  return names;
}

}  // namespace lightship::portal
