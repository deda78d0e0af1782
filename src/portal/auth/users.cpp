// The list of users: its rules, and its form on disk.
#include "portal/auth/users.h"

#include <algorithm>
#include <set>

#include <boost/json.hpp>

#include "base/json_writer.h"
#include "base/text.h"
#include "portal/auth/password.h"
#include "portal/auth/secret.h"

namespace lightship::portal {
namespace {

constexpr int kVersion = 1;
constexpr std::size_t kLongestName = 100;

std::unexpected<Error> no_user(std::string_view name) {
  return fail(Errc::invalid, "There is no user {}.", name);
}

// What follows throws what Boost.JSON throws when a member is missing or of another kind.
std::string text_of(const boost::json::object& from, const char* key, std::size_t most) {
  const auto& text = from.at(key).as_string();
  if (text.size() > most) throw std::out_of_range(fmt::format("{} is too long", key));
  return std::string(text);
}

Time time_of(const boost::json::value& from) {
  const auto time = from_rfc3339(from.as_string());
  if (!time) throw std::out_of_range("a time is not of the form 2026-01-04T12:34:56.123Z");
  return *time;
}

Role role_of(const boost::json::object& from) {
  const auto role = parse_role(text_of(from, "role", kLongestName));
  if (!role) throw std::out_of_range("a role is none of viewer, operator, admin");
  return *role;
}

User read_user(const boost::json::object& from) {
  User user;
  user.name = text_of(from, "name", kLongestName);
  if (!is_id(user.name)) throw std::out_of_range("a user's name is none");
  user.role = role_of(from);
  user.hash = text_of(from, "password", kLongestName * 2);
  if (!is_password_hash(user.hash))
    throw std::out_of_range(fmt::format("the password of {} is no Argon2id hash", user.name));
  user.stamp = text_of(from, "stamp", kLongestName);
  user.created = time_of(from.at("created"));
  user.must_change_password = from.at("must_change_password").as_bool();
  return user;
}

ApiToken read_token(const boost::json::object& from) {
  ApiToken token;
  token.id = text_of(from, "id", kLongestName);
  token.name = text_of(from, "name", kLongestName);
  token.user = text_of(from, "user", kLongestName);
  token.role = role_of(from);
  token.digest = text_of(from, "digest", kLongestName);
  if (!is_secret(token.digest)) throw std::out_of_range("a token's digest is no SHA-256");
  token.created = time_of(from.at("created"));
  if (const auto& expires = from.at("expires"); !expires.is_null())
    token.expires = time_of(expires);
  return token;
}

}  // namespace

const User* UserList::find(std::string_view name) const {
  const auto found = std::ranges::find(users, name, &User::name);
  return found == users.end() ? nullptr : &*found;
}

User* UserList::find(std::string_view name) {
  const auto found = std::ranges::find(users, name, &User::name);
  return found == users.end() ? nullptr : &*found;
}

bool UserList::another_admin(std::string_view beside) const {
  return std::ranges::any_of(
      users, [&](const User& one) { return one.role == Role::admin && one.name != beside; });
}

Result<void> UserList::add(User user) {
  if (!is_id(user.name)) {
    return fail(Errc::invalid,
                "A name is 1 to 64 letters, digits, dots, dashes and underscores, and begins with "
                "a letter or digit.");
  }
  if (users.size() >= kMostUsers)
    return fail(Errc::invalid, "There are {} users already, and no more are kept.", kMostUsers);
  const auto folded = to_lower(user.name);
  const auto known =
      std::ranges::find_if(users, [&](const User& one) { return to_lower(one.name) == folded; });
  if (known != users.end()) return fail(Errc::invalid, "There is a user {} already.", known->name);
  users.push_back(std::move(user));
  return {};
}

Result<void> UserList::remove(std::string_view name) {
  const auto* user = find(name);
  if (user == nullptr) return no_user(name);
  if (user->role == Role::admin && !another_admin(name)) {
    return fail(Errc::invalid,
                "{} is the last administrator and stays: without one nobody could add another.",
                name);
  }
  const std::string gone(name);
  std::erase_if(users, [&](const User& one) { return one.name == gone; });
  std::erase_if(tokens, [&](const ApiToken& one) { return one.user == gone; });
  return {};
}

Result<void> UserList::set_role(std::string_view name, Role role) {
  auto* user = find(name);
  if (user == nullptr) return no_user(name);
  if (user->role == Role::admin && role != Role::admin && !another_admin(name)) {
    return fail(Errc::invalid,
                "{} is the last administrator and stays one: without one nobody could add another.",
                name);
  }
  user->role = role;
  return {};
}

Result<void> UserList::set_password(std::string_view name, std::string hash, bool must_change) {
  auto* user = find(name);
  if (user == nullptr) return no_user(name);
  user->hash = std::move(hash);
  user->stamp = make_public_id();
  user->must_change_password = must_change;
  const std::string whose = user->name;
  std::erase_if(tokens, [&](const ApiToken& one) { return one.user == whose; });
  return {};
}

Result<void> UserList::add(ApiToken token) {
  if (find(token.user) == nullptr) return no_user(token.user);
  if (tokens.size() >= kMostTokens) {
    return fail(Errc::invalid, "There are {} tokens already; remove those that nobody uses.",
                kMostTokens);
  }
  tokens.push_back(std::move(token));
  return {};
}

Result<void> UserList::remove_token(std::string_view id) {
  const std::string gone(id);
  if (std::erase_if(tokens, [&](const ApiToken& one) { return one.id == gone; }) == 0)
    return fail(Errc::invalid, "There is no token {}.", id);
  return {};
}

User new_user(std::string name, Role role, std::string hash, Time now, bool must_change) {
  return {std::move(name), role, std::move(hash), make_public_id(), now, must_change};
}

std::string to_json(const UserList& list) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().member("version", kVersion).key("users").begin_array();
  for (const auto& user : list.users) {
    json.begin_object().member("name", user.name).member("role", to_string(user.role));
    json.member("password", user.hash).member("stamp", user.stamp);
    json.member("created", to_rfc3339(user.created));
    json.member("must_change_password", user.must_change_password).end_object();
  }
  json.end_array().key("tokens").begin_array();
  for (const auto& token : list.tokens) {
    json.begin_object().member("id", token.id).member("name", token.name);
    json.member("user", token.user).member("role", to_string(token.role));
    json.member("digest", token.digest).member("created", to_rfc3339(token.created));
    json.key("expires");
    if (token.expires)
      json.value(to_rfc3339(*token.expires));
    else
      json.null();
    json.end_object();
  }
  json.end_array().end_object();
  text += '\n';
  return text;
}

Result<UserList> users_from_json(std::string_view text) {
  boost::system::error_code failed;
  boost::json::parse_options options;
  options.max_depth = 8;
  const auto tree = boost::json::parse(text, failed, {}, options);
  if (failed) return fail(Errc::invalid, "not JSON: {}", failed.message());
  UserList list;
  try {
    const auto& top = tree.as_object();
    const auto version = top.at("version").as_int64();
    if (version != kVersion)
      return fail(Errc::invalid, "version {} where {} is known", version, kVersion);
    std::set<std::string> names;
    for (const auto& entry : top.at("users").as_array()) {
      list.users.push_back(read_user(entry.as_object()));
      if (!names.insert(to_lower(list.users.back().name)).second)
        return fail(Errc::invalid, "the user {} is there twice", list.users.back().name);
    }
    for (const auto& entry : top.at("tokens").as_array()) {
      list.tokens.push_back(read_token(entry.as_object()));
      if (list.find(list.tokens.back().user) == nullptr)
        return fail(Errc::invalid, "a token of {}, who is no user", list.tokens.back().user);
    }
  } catch (const std::exception& wrong) {
    return fail(Errc::invalid, "not what we write: {}", wrong.what());
  }
  if (list.users.size() > UserList::kMostUsers || list.tokens.size() > UserList::kMostTokens)
    return fail(Errc::invalid, "more users or tokens than are ever kept");
  return list;
}

}  // namespace lightship::portal
