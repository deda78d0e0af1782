// Restarts, after it was written down who wanted it.
#include "portal/api/service.h"

#include <algorithm>
#include <set>

#include "base/json_writer.h"
#include "base/text.h"
#include "core/line_budget.h"

namespace lightship::portal {
namespace {

using namespace std::chrono_literals;

constexpr int kTooOften = 429;
constexpr Duration kPatience = 10s;  // a sink that is restarted delivers first
// Each restart is a line in the audit: who restarts all day must not push out what is older.
struct Restarts {
  static constexpr unsigned kAtOnce = 60;
  static constexpr Duration kEach = 10s;
  // Both of the field loop.
  LineBudget lines{kAtOnce, kEach};
  std::set<std::string> under_way;
};
using RestartsPtr = std::shared_ptr<Restarts>;

Result<void> may_restart(Context& context, const Program& program, Restarts& restarts,
                         const std::string& part) {
  if (const auto parts = program.parts(); std::ranges::count(parts, part) == 0) {
    return fail(Errc::invalid, "no part is called '{}'; there are: {}", part,
                parts.empty() ? std::string("none") : join(parts, ", "));
  }
  if (restarts.under_way.contains(part))
    return fail(Errc::refused, "'{}' is being restarted already", part);
  if (!restarts.lines.take(context.clock.mono())) {
    return fail(Error{Errc::refused,
                      fmt::format("Parts were restarted {} times without a pause; again in {} s.",
                                  Restarts::kAtOnce, Restarts::kEach / 1s),
                      kTooOften});
  }
  return {};
}

Task<Result<void>> restart(Context& context, Program program, RestartsPtr restarts,
                           std::string part, std::string by) {
  // What is refused is not written down: a line for each would be a way to fill the audit.
  if (!part.empty()) {
    if (auto may = may_restart(context, program, *restarts, part); !may) co_return may;
  }
  restarts->under_way.insert(part);
  const std::shared_ptr<void> over(nullptr,
                                   [restarts, part](void*) { restarts->under_way.erase(part); });
  const auto written = [&](JsonWriter& json) {
    json.member("by", by).member("part", part.empty() ? std::string("the program") : part);
  };
  if (context.audit != nullptr) {
    // Not written down: done all the same. Who is on the way to mend a full disk needs it.
    (void)co_await context.audit->record("restart", written, Audit::Durability::told);
  }
  if (part.empty()) co_return program.restart();
  co_return co_await program.restart_part(std::move(part));
}

Response refused(const Error& why) {
  if (why.code == Errc::invalid) return problem(404, "Not Found", why.text);
  if (why.code != Errc::refused) return problem(503, "Service Unavailable", why.text);
  if (why.detail != kTooOften) return problem(409, "Conflict", why.text + ".");
  auto response = problem(429, "Too Many Requests", why.text, "too-many-requests");
  response.headers.emplace_back("Retry-After", std::to_string(Restarts::kEach / 1s));
  return response;
}

Task<Response> answer(const Call& call, Field& field, Program program, RestartsPtr restarts) {
  const auto body = call.body();
  if (!body) co_return problem(400, "Bad Request", body.error().text);
  std::string part;
  if (const auto* named = body->if_contains("part"); named != nullptr && !named->is_null()) {
    if (!named->is_string() || named->as_string().empty() || named->as_string().size() > 200) {
      co_return problem(422, "Unprocessable Content",
                        "\"part\" is the name of a part as GET /api/status tells it, such as "
                        "\"modbus/main-panel\".");
    }
    part = std::string(named->as_string());
  } else if (call.caller.role < Role::admin) {
    co_return problem(403, "Forbidden",
                      "Restarting the whole program needs the role admin; a part (\"part\": ...) "
                      "needs operator.",
                      "role");
  }
  const std::function<Task<Result<void>>(Context&)> errand = [program, restarts, part,
                                                              by = call.by()](Context& context) {
    return restart(context, program, restarts, part, by);
  };
  const auto done = co_await field.run<Result<void>>(errand, kPatience);
  if (!done)
    co_return problem(503, "Service Unavailable", "The gateway's loop did not answer in time.");
  if (!*done) co_return refused(done->error());
  Response accepted;
  accepted.status = 202;
  accepted.content_type = "application/json";
  JsonWriter(accepted.body).begin_object().member("part", part).end_object();
  co_return accepted;
}

}  // namespace

void add_service(Router& router, Field& field, const Program& program) {
  router.add({"POST", "/api/service/restart", Role::operate,
              [&field, program, restarts = std::make_shared<Restarts>()](const Call& call) {
                return answer(call, field, program, restarts);
              }});
}

}  // namespace lightship::portal
