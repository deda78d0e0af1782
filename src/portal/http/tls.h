// The server's side of TLS: a certificate of the site's own, or one made here.
//
// TLS 1.2 and 1.3 (RFC 8446), the library's own choice of ciphers.
#pragma once

#include <filesystem>

#include <boost/asio/ssl/context.hpp>

#include "base/clock.h"
#include "base/result.h"

namespace lightship::portal {

struct TlsFiles {
  std::filesystem::path certificate;          // PEM, the whole chain, the server's own first
  std::filesystem::path key;                  // PEM
  std::filesystem::file_time_type written{};  // the certificate, when it was last looked at
  friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};

struct TlsServer {
  std::shared_ptr<boost::asio::ssl::context> context;
  std::string fingerprint;  // SHA-256 of the certificate: "AB:CD:..."
  Time expires{};
};

// Errors name the file and what is wrong with it.
Result<TlsServer> load_tls(const TlsFiles& files);

// Makes a key (P-256) and a certificate signed by itself for these names and addresses, where there
// is none in `folder` or it ends within 30 days. It is valid for 825 days, the longest that every
// browser takes.
Result<TlsFiles> own_certificate(const std::filesystem::path& folder,
                                 const std::vector<std::string>& names, Time now);

// This machine's names and addresses, as a browser may write them.
std::vector<std::string> own_names();

}  // namespace lightship::portal
