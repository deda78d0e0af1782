// Users: list, add, change, remove.
#include "portal/api/users.h"

#include <algorithm>

#include "base/json_writer.h"
#include "base/text.h"
#include "portal/api/said.h"
#include "portal/auth/accounts.h"
#include "portal/auth/password.h"

namespace lightship::portal {
namespace {

void tell_time(JsonWriter& json, std::string_view name, const std::optional<Time>& time) {
  json.key(name);
  if (time)
    json.value(to_rfc3339(*time));
  else
    json.null();
}

void tell(JsonWriter& json, const Accounts::UserView& user) {
  json.begin_object().member("name", user.name).member("role", to_string(user.role));
  json.member("created", to_rfc3339(user.created));
  tell_time(json, "last_login", user.last_login);
  tell_time(json, "locked_until", user.locked_until);
  json.member("must_change_password", user.must_change_password).end_object();
}

Response one(House& house, std::string_view name, int status) {
  const auto all = house.accounts.users();
  const auto user = std::ranges::find(all, name, &Accounts::UserView::name);
  if (user == all.end())
    return problem(404, "Not Found", fmt::format("There is no user {}.", name));
  auto response = json_answer({});
  response.status = status;
  JsonWriter json(response.body);
  tell(json, *user);
  return response;
}

// Else one that was stolen could make itself a user before it is found out, and remove the owner.
std::optional<Response> if_script(const Call& call) {
  return if_token(
      call, "A token makes, changes and removes no users and sets no passwords: log in for that.");
}

Response wrong_role() { return wrong_field("role", "A role is one of viewer, operator, admin."); }

Task<Response> list(House& house, const Call&) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("items").begin_array();
  for (const auto& user : house.accounts.users()) tell(json, user);
  json.end_array().key("next").null().end_object();
  co_return json_answer(std::move(text));
}

Task<Response> add(House& house, const Call& call) {
  if (auto refused = if_script(call)) co_return std::move(*refused);
  const auto body = call.body();
  if (!body) co_return problem(400, "Bad Request", body.error().text);
  const auto name = text_of(*body, "name"), role_text = text_of(*body, "role"),
             password = text_of(*body, "password");
  if (!name || !role_text || !password)
    co_return problem(400, "Bad Request", "The texts name, role and password are wanted.");
  if (!is_id(*name)) {
    co_return wrong_field("name",
                          "1 to 64 letters, digits, dots, dashes and underscores; the first a "
                          "letter or digit.");
  }
  const auto role = parse_role(*role_text);
  if (!role) co_return wrong_role();
  if (const auto weakness = weakness_of(*password, *name))
    co_return wrong_field("password", *weakness, "weak-password");
  auto adding = house.accounts.add_user(*name, *role, *password);
  if (const auto added = co_await std::move(adding); !added)
    co_return change_problem(added.error());
  co_await tell_audit(house, line_of(call, "user-added", {{"about", *name}, {"role", *role_text}}));
  co_return one(house, *name, 201);
}

Task<Response> change(House& house, const Call& call) {
  if (auto refused = if_script(call)) co_return std::move(*refused);
  const auto& name = call.part("name");
  if (!house.accounts.is_user(name))
    co_return problem(404, "Not Found", fmt::format("There is no user {}.", name));
  const auto body = call.body();
  if (!body) co_return problem(400, "Bad Request", body.error().text);
  const auto role_text = text_of(*body, "role"), password = text_of(*body, "password");
  if (!role_text && !password)
    co_return problem(400, "Bad Request", "A text role or a text password is wanted.");
  std::optional<Role> role;
  if (role_text && !(role = parse_role(*role_text))) co_return wrong_role();
  if (password) {
    if (name == call.caller.user) {
      co_return problem(409, "Conflict",
                        "One's own password is changed with the present one: POST /api/password.");
    }
    if (const auto weakness = weakness_of(*password, name))
      co_return wrong_field("password", *weakness, "weak-password");
  }
  auto changing = house.accounts.change_user(name, role, password);
  if (const auto changed = co_await std::move(changing); !changed)
    co_return change_problem(changed.error());
  std::vector<std::pair<std::string, std::string>> more{{"about", name}};
  if (role) more.emplace_back("role", *role_text);
  if (password) more.emplace_back("password", "a new first one");
  co_await tell_audit(house, line_of(call, "user-changed", std::move(more)));
  co_return one(house, name, 200);
}

Task<Response> remove(House& house, const Call& call) {
  if (auto refused = if_script(call)) co_return std::move(*refused);
  const auto& name = call.part("name");
  if (!house.accounts.is_user(name))
    co_return problem(404, "Not Found", fmt::format("There is no user {}.", name));
  auto removing = house.accounts.remove_user(name);
  if (const auto removed = co_await std::move(removing); !removed)
    co_return change_problem(removed.error());
  co_await tell_audit(house, line_of(call, "user-removed", {{"about", name}}));
  co_return no_content();
}

}  // namespace

void add_users(Router& router, House& house) {
  router.add(
      {"GET", "/api/users", Role::admin, [&house](const Call& call) { return list(house, call); }});
  router.add(
      {"POST", "/api/users", Role::admin, [&house](const Call& call) { return add(house, call); }});
  router.add({"POST", "/api/users/{name}", Role::admin,
              [&house](const Call& call) { return change(house, call); }});
  router.add({"DELETE", "/api/users/{name}", Role::admin,
              [&house](const Call& call) { return remove(house, call); }});
}

}  // namespace lightship::portal
