// The cookies and the bearer token's header, as they come and go (RFC 6265, RFC 6750).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace lightship::portal {

// A browser gives a cookie to every port of a host (RFC 6265, 8.5): so each gateway has its own
// names, by its realm. Over TLS with the prefix that lets nobody on plain http, or on a
// neighbouring host name, plant another one (RFC 6265bis, 4.1.3.2); browsers refuse that prefix
// without TLS.
struct Cookies {
  std::string realm;
  bool secure = false;  // over TLS

  std::string session() const;  // the name of the session's cookie
  std::string device() const;   // and of the browser's own

  // The value of Set-Cookie. The session's goes with the browser; an empty secret takes it away.
  std::string set_session(std::string_view secret) const;
  // Nothing: it goes with the browser, too.
  std::string set_device(std::string_view secret, std::optional<std::chrono::seconds> lasts) const;
};

// What follows "Bearer" in an Authorization header; nothing: it is none of that scheme.
std::optional<std::string_view> bearer_of(std::string_view header);

}  // namespace lightship::portal
