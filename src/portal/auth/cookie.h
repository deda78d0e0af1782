// The session's cookie and the bearer token's header, as they come and go (RFC 6265, RFC 6750).
#pragma once

#include <string>
#include <string_view>

namespace lightship::portal {

// "lightship"; over TLS with the prefix that lets nobody on plain http, or on a neighbouring host
// name, plant another one (RFC 6265bis, 4.1.3.2). Browsers refuse that prefix without TLS.
constexpr std::string_view cookie_name(bool secure) {
  return secure ? "__Host-lightship" : "lightship";
}

// The value of Set-Cookie; an empty secret takes the cookie away.
std::string set_cookie(std::string_view secret, bool secure);

// What follows "Bearer" in an Authorization header; empty: nothing does.
std::string_view bearer_of(std::string_view header);

}  // namespace lightship::portal
