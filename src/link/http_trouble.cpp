// From curl's codes to what a person can act on.
#include "link/http_trouble.h"

#include "base/text.h"

namespace lightship::link {
namespace {

bool of_tls(CURLcode code) {
  switch (code) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_CLIENTCERT:
      return true;
    default:
      return false;
  }
}

Error too_late(CURL* easy, const HttpSettings& settings, std::size_t body_size) {
  curl_off_t connected = 0, encrypted = 0, sent = 0;
  curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connected);
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &encrypted);
  curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &sent);
  const auto patience = std::min(settings.connect_timeout, settings.timeout);
  if (connected == 0)
    return {Errc::timeout, fmt::format("no connection within {}", for_people(patience)), 0};
  if (encrypted == 0)
    return {Errc::timeout,
            fmt::format("connected, but no TLS or proxy session within {}", for_people(patience)),
            0};
  if (std::cmp_less(sent, body_size))
    return {Errc::timeout,
            fmt::format("only {} of {} bytes were taken within {}", sent, body_size,
                        for_people(settings.timeout)),
            0};
  return {Errc::timeout, fmt::format("no answer within {}", for_people(settings.timeout)), 0};
}

// One of curl's parsed URLs, or nothing.
using Url = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;
Url parsed(const std::string& text) {
  Url url(curl_url(), &curl_url_cleanup);
  if (url && curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) != 0)
    url.reset();
  return url;
}

std::string part(const Url& url, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(url.get(), which, &text, 0) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

}  // namespace

Error http_trouble(CURL* easy, CURLcode code, const char* said, const HttpSettings& settings,
                   std::size_t body_size) {
  long tunnel = 0;
  curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);
  if (tunnel >= 300) {
    return {Errc::refused, fmt::format("the proxy refuses the connection: {}", tunnel),
            static_cast<int>(tunnel)};
  }
  std::string text = without_credentials(said[0] != '\0' ? said : curl_easy_strerror(code));
  if (of_tls(code)) return {Errc::unavailable, "TLS: " + text, 0};
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return too_late(easy, settings, body_size);
    case CURLE_SSL_CERTPROBLEM:
      return {Errc::invalid, fmt::format("TLS: our certificate {}: {}", settings.cert_file, text),
              0};
    case CURLE_SSL_CACERT_BADFILE:
      return {Errc::invalid,
              fmt::format("TLS: cannot read the authorities {}: {}",
                          settings.ca_file.empty() ? "of the system" : settings.ca_file, text),
              0};
    case CURLE_GOT_NOTHING:
      return {Errc::closed, "the server closed the connection without an answer", 0};
    case CURLE_OK:  // the headers never ended
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
      return {Errc::closed, "the connection was lost: " + text, 0};
    case CURLE_URL_MALFORMAT:
      return {Errc::invalid, text, 0};
    case CURLE_UNSUPPORTED_PROTOCOL:  // HTTP/0.9; the scheme is known to be right
    case CURLE_WEIRD_SERVER_REPLY:
      return {Errc::malformed, "the answer is not HTTP: " + text, 0};
    default:
      return {Errc::unavailable, text, 0};
  }
}

std::string without_credentials(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto slashes = text.find("//", at);
    if (slashes == std::string_view::npos) return out.append(text.substr(at));
    out += text.substr(at, slashes + 2 - at);
    at = slashes + 2;
    const auto end = text.find_first_of("/?# '\"\t", at);
    const auto authority = text.substr(at, end == std::string_view::npos ? end : end - at);
    if (const auto host = authority.rfind('@'); host != std::string_view::npos) {
      out += "***";
      at += host;
    }
  }
  return out;
}

std::string shown_url(const std::string& url) {
  const auto known = parsed(url);
  if (!known) return "?";
  auto text = part(known, CURLUPART_SCHEME) + "://" + part(known, CURLUPART_HOST);
  if (const auto port = part(known, CURLUPART_PORT); !port.empty()) text += ":" + port;
  return text;
}

std::optional<std::string> check_http_url(const std::string& url) {
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    return "must begin with http:// or https://";
  for (const char c : url) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f')
      return "must have no blank or control character";
  }
  const auto known = parsed(url);
  if (!known || part(known, CURLUPART_HOST).empty())
    return "is not one; expected https://host[:port]/path";
  return std::nullopt;
}

std::optional<std::string> check_proxy(const std::string& proxy) {
  if (proxy.empty() || proxy == "none") return std::nullopt;
  const auto known = parsed(proxy);
  const auto scheme = known ? part(known, CURLUPART_SCHEME) : "";
  for (const char* fine : {"http", "https", "socks4", "socks4a", "socks5", "socks5h"}) {
    if (scheme == fine && !part(known, CURLUPART_HOST).empty()) return std::nullopt;
  }
  return "is no proxy; expected http://host:port, https://, socks5://, socks5h://, socks4:// or "
         "socks4a://, or none";
}

}  // namespace lightship::link
