// Who asks, once that is known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lightship::portal {

// Each may what the one before it may. docs/portal.md says what that is.
enum class Role : std::uint8_t { viewer, operate, admin };

std::string_view to_string(Role role);  // "viewer", "operator", "admin"
std::optional<Role> parse_role(std::string_view text);

struct Caller {
  std::string user;
  Role role = Role::viewer;
  std::string session;  // its public id; empty where a token was shown
  std::string token;    // its public id; empty where there is a session
  std::string csrf;     // what X-CSRF-Token must say; empty with a token, which no browser sends
  bool must_change_password = false;
};

}  // namespace lightship::portal
