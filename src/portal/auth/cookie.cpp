// Cookies and bearer token.
#include "portal/auth/cookie.h"

#include <fmt/format.h>

#include "base/text.h"

namespace lightship::portal {
namespace {

// Strict: no other site's link or form carries it.
std::string set(std::string_view name, std::string_view secret, bool secure,
                std::optional<std::chrono::seconds> lasts) {
  return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict{}{}", name, secret,
                     secure ? "; Secure" : "",
                     lasts ? fmt::format("; Max-Age={}", lasts->count()) : "");
}

}  // namespace

std::string Cookies::session() const {
  return fmt::format("{}lightship-{}", secure ? "__Host-" : "", realm);
}

std::string Cookies::device() const { return session() + "-device"; }

std::string Cookies::set_session(std::string_view secret) const {
  std::optional<std::chrono::seconds> lasts;
  if (secret.empty()) lasts.emplace(0);
  return set(session(), secret, secure, lasts);
}

std::string Cookies::set_device(std::string_view secret,
                                std::optional<std::chrono::seconds> lasts) const {
  return set(device(), secret, secure, lasts);
}

std::optional<std::string_view> bearer_of(std::string_view header) {
  const auto scheme = header.substr(0, header.find(' '));
  if (to_lower(scheme) != "bearer") return std::nullopt;
  return trim(header.substr(scheme.size()));
}

}  // namespace lightship::portal
