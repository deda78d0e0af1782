// The way in and out.
#include "portal/api/session.h"

#include "base/json_writer.h"
#include "base/text.h"
#include "base/version.h"
#include "core/line_budget.h"
#include "portal/api/audit_budget.h"
#include "portal/auth/accounts.h"
#include "portal/auth/origin.h"

namespace lightship::portal {
namespace {

// What the handlers keep from one request to the next.
struct Door {
  // Lines for log-ins that were refused: somebody who guesses all day must not fill the audit.
  LineBudget refusals{Audit::kRefusalsAtOnce, Audit::kRefusalEach};
  std::uint64_t untold = 0;
  // And for what succeeded: who logs in and out all day must not, either.
  AuditBudget lines{20, std::chrono::minutes(1)};
  std::string site;  // as it was last told
};
using DoorPtr = std::shared_ptr<Door>;

std::string name_of(Context& context) { return context.device_id; }

Task<std::string> session_text(House& house, DoorPtr door, Caller caller) {
  auto asking = house.field.ask<std::string>(name_of);
  if (auto site = co_await std::move(asking)) door->site = std::move(*site);
  std::string text;
  JsonWriter json(text);
  json.begin_object().member("user", caller.user).member("role", to_string(caller.role));
  json.member("csrf_token", caller.csrf);
  json.member("must_change_password", caller.must_change_password).key("expires");
  if (const auto expires = house.accounts.expires(caller))
    json.value(to_rfc3339(*expires));
  else
    json.null();
  json.member("site", door->site).member("version", version()).end_object();
  co_return text;
}

// A form of another site cannot send JSON; a script of one says where it comes from (Fetch, 4.9;
// RFC 6454, 7). Who logs somebody else in as himself reads what they then type.
bool from_elsewhere(const Request& request) {
  if (const auto site = request.header("sec-fetch-site"); !site.empty())
    return site != "same-origin" && site != "none";
  const auto origin = request.header("origin");
  return !origin.empty() && !is_own_origin(request, origin);
}

bool is_json(const Request& request) {
  const auto type = request.header("content-type");
  return to_lower(trim(type.substr(0, type.find(';')))) == "application/json";
}

Task<void> tell_refused(House& house, DoorPtr door, std::string user, const Request& request,
                        std::string why) {
  if (!door->refusals.take(house.clock.mono())) {
    ++door->untold;
    co_return;
  }
  // What was typed there may have been the password.
  if (!house.accounts.is_user(user)) user = "(unknown)";
  AuditLine line{"login-refused", std::move(user), request.peer.to_string(), {{"why", why}}};
  if (door->untold > 0)
    line.more.emplace_back("untold_before", std::to_string(std::exchange(door->untold, 0)));
  co_await tell_audit(house, std::move(line));
}

Task<void> tell(House& house, DoorPtr door, AuditLine line) {
  return tell_audit(house.field, door->lines, house.clock.mono(), std::move(line));
}

std::string device_of(House& house, const Request& request) {
  return request.cookie(house.accounts.cookies(request).device()).value_or("");
}

Response wrong_password(Duration wait) {
  std::string detail = "User or password is wrong.";
  if (wait > Duration{}) {
    detail += fmt::format(" That was one too many: wait {} before the next try.", in_words(wait));
  }
  auto response = problem(401, "Unauthorized", detail, "wrong-password");
  if (wait > Duration{}) {
    response.headers.emplace_back(
        "Retry-After", std::to_string(std::chrono::ceil<std::chrono::seconds>(wait).count()));
  }
  return response;
}

Task<Response> login(House& house, DoorPtr door, const Call& call) {
  const auto& request = call.request;
  if (from_elsewhere(request))
    co_return problem(403, "Forbidden", "Another site's page may not log in here.", "csrf");
  if (!is_json(request))
    co_return problem(415, "Unsupported Media Type",
                      "A log-in is application/json: {\"username\":..,\"password\":..}.");
  const auto body = call.body();
  if (!body) co_return problem(400, "Bad Request", body.error().text);
  const auto user = text_of(*body, "username"), password = text_of(*body, "password");
  if (!user || !password)
    co_return problem(400, "Bad Request", "The texts username and password are wanted.");

  auto trying =
      house.accounts.login(*user, *password, request.peer,
                           std::string(request.header("user-agent")), device_of(house, request));
  auto tried = co_await std::move(trying);
  using enum Accounts::Login::Outcome;
  switch (tried.outcome) {
    case wrong:
      co_await tell_refused(house, door, *user, request, "wrong password");
      co_return wrong_password(tried.wait);
    case locked:
      co_await tell_refused(house, door, *user, request, "locked");
      co_return locked_problem(tried.wait);
    case busy:
      co_return busy_problem();
    case broken:
      co_return problem(503, "Service Unavailable",
                        "Nobody can log in: the gateway's list of users cannot be read. Its log "
                        "says what to do.");
    case in:
      break;
  }
  // Whoever was in with this browser before is not any more.
  if (const auto before = house.accounts.who(request); before && !before->session.empty()) {
    auto ending = house.accounts.end_session(before->session);
    (void)co_await std::move(ending);
  }
  co_await tell(house, door, {"login", tried.caller.user, request.peer.to_string(), {}});
  auto telling = session_text(house, door, tried.caller);
  auto response = json_answer(co_await std::move(telling));
  const auto cookies = house.accounts.cookies(request);
  response.headers.emplace_back("Set-Cookie", cookies.set_session(tried.cookie));
  // Without persistence nobody knows it after the next start.
  std::optional<std::chrono::seconds> lasts;
  if (!house.data_dir.empty())
    lasts = std::chrono::floor<std::chrono::seconds>(Memories::kDeviceLasts);
  response.headers.emplace_back("Set-Cookie", cookies.set_device(tried.device, lasts));
  co_return response;
}

Task<Response> session(House& house, DoorPtr door, const Call& call) {
  auto telling = session_text(house, door, call.caller);
  co_return json_answer(co_await std::move(telling));
}

Task<Response> logout(House& house, DoorPtr door, const Call& call) {
  if (call.caller.session.empty())
    co_return problem(409, "Conflict", "A token is no session; DELETE /api/tokens/ID ends it.");
  auto ending = house.accounts.end_session(call.caller.session);
  (void)co_await std::move(ending);
  co_await tell(house, door, line_of(call, "logout"));
  auto response = no_content();
  response.headers.emplace_back("Set-Cookie", house.accounts.cookies(call.request).set_session(""));
  co_return response;
}

Task<Response> password(House& house, DoorPtr door, const Call& call) {
  if (auto refused = if_token(call, "A password is changed by who has logged in with it."))
    co_return std::move(*refused);
  const auto body = call.body();
  if (!body) co_return problem(400, "Bad Request", body.error().text);
  const auto old = text_of(*body, "old"), fresh = text_of(*body, "new");
  if (!old || !fresh) co_return problem(400, "Bad Request", "The texts old and new are wanted.");
  auto changing = house.accounts.change_password(call.caller, *old, *fresh, call.request.peer,
                                                 device_of(house, call.request));
  const auto tried = co_await std::move(changing);
  using enum Accounts::NewPassword::Outcome;
  switch (tried.outcome) {
    case wrong: {
      co_await tell_refused(house, door, call.caller.user, call.request, "wrong present password");
      co_return wrong_password(tried.wait);
    }
    case locked:
      co_return locked_problem(tried.wait);
    case busy:
      co_return busy_problem();
    case weak:
      co_return wrong_field("new", tried.why, "weak-password");
    case failed:
      co_return problem(503, "Service Unavailable", "The password is not changed: " + tried.why);
    case changed:
      break;
  }
  co_await tell(house, door, line_of(call, "password-changed"));
  co_return no_content();
}

// A script has no business there, and one that was stolen would put its maker out.
std::optional<Response> if_script(const Call& call) {
  return if_token(call, "Sessions are seen and ended by who has logged in, not with a token.");
}

Task<Response> sessions(House& house, const Call& call) {
  if (auto refused = if_script(call)) co_return std::move(*refused);
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("items").begin_array();
  for (const auto& one : house.accounts.sessions()) {
    if (one.user != call.caller.user && call.caller.role < Role::admin) continue;
    json.begin_object().member("id", one.id).member("user", one.user);
    json.member("address", one.address).member("user_agent", one.user_agent);
    json.member("since", to_rfc3339(one.since)).member("last_seen", to_rfc3339(one.last_seen));
    json.member("current", one.id == call.caller.session).end_object();
  }
  json.end_array().key("next").null().end_object();
  co_return json_answer(std::move(text));
}

Task<Response> end_session(House& house, DoorPtr door, const Call& call) {
  if (auto refused = if_script(call)) co_return std::move(*refused);
  std::string whose;
  for (const auto& one : house.accounts.sessions()) {
    if (one.id == call.part("id")) whose = one.user;
  }
  // Somebody else's is not even there for who is no administrator.
  const bool may = whose == call.caller.user || call.caller.role >= Role::admin;
  auto ending = house.accounts.end_session(whose.empty() || !may ? "" : call.part("id"));
  if (!co_await std::move(ending)) co_return problem(404, "Not Found", "There is no such session.");
  co_await tell(house, door, line_of(call, "session-ended", {{"about", whose}}));
  co_return no_content();
}

}  // namespace

void add_session(Router& router, House& house) {
  const auto door = std::make_shared<Door>();
  router.add({"POST", "/api/login", {}, [&house, door](const Call& call) {
                return login(house, door, call);
              }});
  router.add({"GET", "/api/session", Role::viewer,
              [&house, door](const Call& call) { return session(house, door, call); }, true});
  router.add({"POST", "/api/logout", Role::viewer,
              [&house, door](const Call& call) { return logout(house, door, call); }, true});
  router.add({"POST", "/api/password", Role::viewer,
              [&house, door](const Call& call) { return password(house, door, call); }, true});
}

void add_sessions(Router& router, House& house) {
  const auto door = std::make_shared<Door>();
  router.add({"GET", "/api/sessions", Role::viewer,
              [&house](const Call& call) { return sessions(house, call); }});
  router.add({"DELETE", "/api/sessions/{id}", Role::viewer,
              [&house, door](const Call& call) { return end_session(house, door, call); }});
}

}  // namespace lightship::portal
