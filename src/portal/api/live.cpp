// Who may upgrade, and the hub takes over.
#include "portal/api/live.h"

#include "portal/auth/origin.h"
#include "portal/live/hub.h"

namespace lightship::portal {

namespace {

// A page elsewhere can open a WebSocket to here, and the browser would send the cookie along; the
// header Origin says whose page it is. Programs send none, but they show a token.
std::optional<Response> foreign(const Request& request, const Caller& caller) {
  const auto origin = request.header("origin");
  if (origin.empty() && !caller.token.empty()) return std::nullopt;
  if (!origin.empty() && is_own_origin(request, origin)) return std::nullopt;
  return problem(403, "Forbidden",
                 origin.empty() ? std::string("The header Origin is missing; only a bearer token "
                                              "goes without it.")
                                : fmt::format("The header Origin says '{}', which is not where "
                                              "this portal is.",
                                              origin.substr(0, 100)),
                 "origin");
}

Task<Response> upgrade(LiveHub& live, const Call& call) {
  if (!asks_for_web_socket(call.request)) {
    auto refused = problem(426, "Upgrade Required", "The live feed is spoken over a WebSocket.");
    refused.headers.emplace_back("Upgrade", "websocket");
    co_return refused;
  }
  if (auto refused = foreign(call.request, call.caller)) co_return std::move(*refused);
  if (const auto full = live.full(call.caller)) {
    auto refused = full->status == 429
                       ? problem(429, "Too Many Requests", full->detail, "too-many-feeds")
                       : problem(503, "Service Unavailable", full->detail, "too-many-feeds");
    refused.headers.emplace_back("Retry-After", "10");
    co_return refused;
  }
  Response response;
  response.status = 101;
  response.web_socket = [&live, caller = call.caller](std::shared_ptr<WebSocket> socket) {
    return live.serve(std::move(socket), caller);
  };
  co_return response;
}

}  // namespace

void add_live(Router& router, LiveHub& live) {
  router.add({"GET", "/api/live", Role::viewer,
              [&live](const Call& call) { return upgrade(live, call); }});
}

}  // namespace lightship::portal
