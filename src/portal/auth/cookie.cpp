// Cookie and bearer token.
#include "portal/auth/cookie.h"

#include <fmt/format.h>

#include "base/text.h"

namespace lightship::portal {

std::string set_cookie(std::string_view secret, bool secure) {
  // Without Max-Age: it goes with the browser. Strict: no other site's link or form carries it.
  return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict{}{}", cookie_name(secure), secret,
                     secure ? "; Secure" : "", secret.empty() ? "; Max-Age=0" : "");
}

std::string_view bearer_of(std::string_view header) {
  constexpr std::string_view kScheme = "bearer";
  if (header.size() <= kScheme.size() || header[kScheme.size()] != ' ') return {};
  if (to_lower(header.substr(0, kScheme.size())) != kScheme) return {};
  return trim(header.substr(kScheme.size()));
}

}  // namespace lightship::portal
