// Tokens: list, make, remove.
#include "portal/api/tokens.h"

#include <algorithm>

#include <boost/json/value.hpp>

#include "base/json_writer.h"
#include "base/text.h"
#include "portal/api/said.h"
#include "portal/auth/accounts.h"

namespace lightship::portal {
namespace {

constexpr std::int64_t kMostDays = 3650;
constexpr std::size_t kLongestName = 100;

void tell_time(JsonWriter& json, std::string_view name, const std::optional<Time>& time) {
  json.key(name);
  if (time)
    json.value(to_rfc3339(*time));
  else
    json.null();
}

void tell_members(JsonWriter& json, const ApiToken& token, const std::optional<Time>& last_used) {
  json.member("id", token.id).member("name", token.name).member("user", token.user);
  json.member("role", to_string(token.role)).member("created", to_rfc3339(token.created));
  tell_time(json, "expires", token.expires);
  tell_time(json, "last_used", last_used);
}

Task<Response> list(House& house, const Call&) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("items").begin_array();
  for (const auto& [token, last_used] : house.accounts.tokens()) {
    json.begin_object();
    tell_members(json, token, last_used);
    json.end_object();
  }
  json.end_array().key("next").null().end_object();
  co_return json_answer(std::move(text));
}

Task<Response> make(House& house, const Call& call) {
  // Else one that was stolen could make itself another before it is found out.
  if (auto refused = if_token(call, "A token makes no tokens: log in for that."))
    co_return std::move(*refused);
  const auto body = call.body();
  if (!body) co_return problem(400, "Bad Request", body.error().text);
  const auto name = text_of(*body, "name"), role_text = text_of(*body, "role");
  if (!name || !role_text)
    co_return problem(400, "Bad Request", "The texts name and role are wanted.");
  const std::string called(trim(*name));
  if (called.empty() || called.size() > kLongestName)
    co_return wrong_field("name",
                          fmt::format("1 to {} bytes that say what it is for.", kLongestName));
  const auto role = parse_role(*role_text);
  if (!role) co_return wrong_field("role", "A role is one of viewer, operator, admin.");
  if (*role > call.caller.role)
    co_return wrong_field("role", "A token may not do more than who makes it.");
  std::optional<Duration> lasts;
  if (const auto* days = body->if_contains("days"); days != nullptr && !days->is_null()) {
    if (!days->is_int64() || days->get_int64() < 1 || days->get_int64() > kMostDays)
      co_return wrong_field("days", fmt::format("1 to {} days, or null: for ever.", kMostDays));
    lasts = std::chrono::days(days->get_int64());
  }
  auto making = house.accounts.add_token(call.caller, called, *role, lasts);
  const auto made = co_await std::move(making);
  if (!made) co_return change_problem(made.error());
  co_await tell_audit(house,
                      line_of(call, "token-made",
                              {{"about", called}, {"id", made->token.id}, {"role", *role_text}}));
  auto response = json_answer({});
  response.status = 201;
  JsonWriter json(response.body);
  json.begin_object();
  tell_members(json, made->token, std::nullopt);
  json.member("token", made->secret).end_object();
  co_return response;
}

Task<Response> remove(House& house, const Call& call) {
  const auto& id = call.part("id");
  if (id != call.caller.token) {
    if (auto refused = if_token(call, "A token removes no other ones: log in for that."))
      co_return std::move(*refused);
  }
  std::string name;
  for (const auto& [token, last_used] : house.accounts.tokens()) {
    if (token.id == id) name = token.name;
  }
  if (name.empty()) co_return problem(404, "Not Found", "There is no such token.");
  auto removing = house.accounts.remove_token(id);
  if (const auto removed = co_await std::move(removing); !removed)
    co_return change_problem(removed.error());
  co_await tell_audit(house, line_of(call, "token-removed", {{"about", name}, {"id", id}}));
  co_return no_content();
}

}  // namespace

void add_tokens(Router& router, House& house) {
  router.add({"GET", "/api/tokens", Role::admin,
              [&house](const Call& call) { return list(house, call); }});
  router.add({"POST", "/api/tokens", Role::admin,
              [&house](const Call& call) { return make(house, call); }});
  router.add({"DELETE", "/api/tokens/{id}", Role::admin,
              [&house](const Call& call) { return remove(house, call); }});
}

}  // namespace lightship::portal
