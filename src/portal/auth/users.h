// Who may log in, and with which tokens: what DATA_DIR/users.json says.
//
// No password and no token is in it, only what checks them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "portal/auth/caller.h"

namespace lightship::portal {

struct User {
  std::string name;
  Role role = Role::viewer;
  std::string hash;   // of the password (password.h)
  std::string stamp;  // another with every password; a session with an older one has ended
  Time created{};
  bool must_change_password = false;
};

struct ApiToken {
  std::string id, name, user;  // `user`: who made it; it goes with them
  Role role = Role::viewer;    // never more than the user's own, whatever stands here
  std::string digest;          // of the token (secret.h)
  Time created{};
  std::optional<Time> expires;
};

struct UserList {
  static constexpr std::size_t kMostUsers = 200, kMostTokens = 200;

  std::vector<User> users;
  std::vector<ApiToken> tokens;

  const User* find(std::string_view name) const;
  User* find(std::string_view name);
  bool another_admin(std::string_view beside) const;

  // The rules of every change, for the portal and the command alike. Errc::invalid: it may not be,
  // with what to do; the list is as it was then.
  Result<void> add(User user);
  Result<void> remove(std::string_view name);
  Result<void> set_role(std::string_view name, Role role);
  // Ends the user's sessions, by the stamp, and takes the tokens away.
  Result<void> set_password(std::string_view name, std::string hash, bool must_change);
  Result<void> add(ApiToken token);
  Result<void> remove_token(std::string_view id);
};

// A fresh user, with the hash of the first password.
User new_user(std::string name, Role role, std::string hash, Time now, bool must_change);

std::string to_json(const UserList& list);
// Errc::invalid says what is wrong; nothing is passed over silently, for it might be the one line
// that keeps somebody out.
Result<UserList> users_from_json(std::string_view text);

}  // namespace lightship::portal
