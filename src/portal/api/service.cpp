// Restarts, after it was written down who wanted it.
#include "portal/api/service.h"

#include "base/json_writer.h"

namespace lightship::portal {
namespace {

using namespace std::chrono_literals;

constexpr Duration kPatience = 10s;  // a sink that is restarted delivers first

Task<Result<void>> restart(Context& context, Program program, std::string part, std::string by) {
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

Task<Response> answer(const Call& call, Field& field, Program program) {
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
  const std::function<Task<Result<void>>(Context&)> errand = [program, part,
                                                              by = call.by()](Context& context) {
    return restart(context, program, part, by);
  };
  const auto done = co_await field.run<Result<void>>(errand, kPatience);
  if (!done)
    co_return problem(503, "Service Unavailable", "The gateway's loop did not answer in time.");
  if (!*done) {
    const bool unknown = done->error().code == Errc::invalid;
    co_return problem(unknown ? 404 : 503, unknown ? "Not Found" : "Service Unavailable",
                      done->error().text);
  }
  Response accepted;
  accepted.status = 202;
  accepted.content_type = "application/json";
  JsonWriter(accepted.body).begin_object().member("part", part).end_object();
  co_return accepted;
}

}  // namespace

void add_service(Router& router, Field& field, const Program& program) {
  router.add({"POST", "/api/service/restart", Role::operate,
              [&field, program](const Call& call) { return answer(call, field, program); }});
}

}  // namespace lightship::portal
