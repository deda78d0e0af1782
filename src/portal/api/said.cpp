// Bodies, problems and audit lines of the resources about people.
#include "portal/api/said.h"

#include <boost/json/value.hpp>

#include "base/json_writer.h"
#include "base/text.h"

namespace lightship::portal {

std::optional<std::string> text_of(const boost::json::object& body, std::string_view name) {
  constexpr std::size_t kMost = 2000;
  const auto* found = body.if_contains(name);
  if (found == nullptr || !found->is_string() || found->get_string().size() > kMost)
    return std::nullopt;
  return std::string(found->get_string());
}

Response wrong_field(std::string_view field, std::string_view message, std::string_view type) {
  Response response;
  response.status = 422;
  response.content_type = "application/problem+json";
  JsonWriter json(response.body);
  json.begin_object().member("type", type).member("title", "Unprocessable Content");
  json.member("status", response.status).member("detail", message);
  json.key("errors").begin_array().begin_object();
  json.member("field", field).member("message", message).end_object().end_array().end_object();
  return response;
}

std::string in_words(Duration wait) {
  constexpr auto kShort = std::chrono::seconds(90);
  if (wait <= kShort)
    return fmt::format("{} s", std::chrono::ceil<std::chrono::seconds>(wait).count());
  return fmt::format("{} min", std::chrono::ceil<std::chrono::minutes>(wait).count());
}

Response locked_problem(Duration wait) {
  const auto seconds =
      std::max<std::chrono::seconds::rep>(std::chrono::ceil<std::chrono::seconds>(wait).count(), 1);
  auto response = problem(429, "Too Many Requests",
                          fmt::format("Too many wrong passwords. Wait {}, then try again.",
                                      in_words(std::chrono::seconds(seconds))),
                          "locked");
  response.headers.emplace_back("Retry-After", std::to_string(seconds));
  return response;
}

Response busy_problem() {
  auto response = problem(503, "Service Unavailable",
                          "Too many passwords wait to be checked. Try again in a moment.", "busy");
  response.headers.emplace_back("Retry-After", "2");
  return response;
}

std::optional<Response> if_token(const Call& call, std::string_view why) {
  if (call.caller.token.empty()) return std::nullopt;
  return problem(403, "Forbidden", why, "role");
}

Response change_problem(const Error& error) {
  if (error.code == Errc::timeout) return busy_problem();
  if (error.code == Errc::invalid) return problem(409, "Conflict", error.text);
  return problem(503, "Service Unavailable", "Nothing was changed: " + error.text + ".");
}

namespace {

Task<bool> put(Context& context, AuditLine line) {
  if (context.audit == nullptr) co_return false;
  const auto members = [&line](JsonWriter& json) {
    json.member("user", line.user).member("address", line.address);
    for (const auto& [name, text] : line.more) json.member(name, text);
  };
  auto recording = context.audit->record(line.event, members, Audit::Durability::told);
  (void)co_await std::move(recording);
  co_return true;
}

}  // namespace

Task<void> tell_audit(House& house, AuditLine line) {
  return tell_audit(house.field, std::move(line));
}

Task<void> tell_audit(Field& field, AuditLine line) {
  auto telling = field.run<bool>(
      [line = std::move(line)](Context& context) { return put(context, line); }, Field::kPatience);
  (void)co_await std::move(telling);
}

AuditLine line_of(const Call& call, std::string event,
                  std::vector<std::pair<std::string, std::string>> more) {
  if (!call.caller.token.empty()) more.emplace_back("by_token", call.caller.token);
  return {std::move(event), call.caller.user, call.request.peer.to_string(), std::move(more)};
}

}  // namespace lightship::portal
