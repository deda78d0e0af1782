// Asks the field loop whether it lives.
#include "portal/api/health.h"

#include "base/json_writer.h"
#include "base/text.h"
#include "portal/shared_answer.h"

namespace lightship::portal {
namespace {

// By a proxy (RFC 7239, and what was there before it): the peer is not who asks.
bool is_forwarded(const Request& request) {
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{"forwarded", "x-forwarded-for", "x-real-ip", "via"},
      [&](std::string_view name) { return !request.header(name).empty(); });
}

Response told(const std::optional<std::string>& trouble) {
  const bool good = trouble && trouble->empty();
  Response response;
  response.content_type = "application/json";
  response.status = good ? 200 : 503;
  JsonWriter json(response.body);
  json.begin_object().member("status", good ? "ok" : trouble ? "late" : "hanging");
  if (trouble && !trouble->empty()) json.member("detail", *trouble);
  json.end_object();
  return response;
}

// All figures of a large site take the field loop a millisecond: told to all who ask within this.
constexpr Duration kFresh = std::chrono::milliseconds(500);

struct Health {
  Field& field;
  const Program& program;
  SharedAnswer<std::string> newest;

  Task<Response> alive() const {
    co_return told(co_await field.ask<std::string>(
        [late = program.late](Context&) { return join(late(), ", "); }));
  }
  Task<Response> ready() const {
    co_return told(
        co_await field.ask<std::string>([late = program.late, ready = program.ready](Context&) {
          return ready() ? join(late(), ", ") : std::string("starting");
        }));
  }
  Task<Response> metrics(bool may) {
    if (!may) co_return problem(401, "Unauthorized", "Sign in first, or show a token.");
    auto asking = newest.get([this] {
      return field.ask<std::string>([metrics = program.metrics](Context&) { return metrics(); });
    });
    auto text = co_await std::move(asking);
    if (!text) co_return problem(503, "Service Unavailable", "The gateway's loop did not answer.");
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.shared = std::move(text);
    co_return response;
  }
};

}  // namespace

void add_health(Router& router, Clock& clock, Field& field, const Program& program,
                MetricsOpen open) {
  const auto health = std::make_shared<Health>(Health{field, program, {clock, kFresh}});
  router.add({"GET", "/healthz", {}, [health](const Call&) { return health->alive(); }});
  router.add({"GET", "/readyz", {}, [health](const Call&) { return health->ready(); }});
  router.add({"GET", "/metrics",
              open == MetricsOpen::nobody ? std::optional(Role::viewer) : std::nullopt,
              [health, open](const Call& call) {
                const bool known = !call.caller.user.empty() && !call.caller.must_change_password;
                return health->metrics(known || open == MetricsOpen::everybody ||
                                       !is_forwarded(call.request));
              }});
}

}  // namespace lightship::portal
