// What the program says of itself, and what the portal makes of the picture.
#include "portal/api/status.h"

#include "base/version.h"
#include "portal/view_json.h"
#include "portal/views.h"

namespace lightship::portal {
namespace {

// 503 tells a probe that something does not go on as it should; the body says what.
Task<Response> status(Views& views, Field& field, std::function<std::string()> program) {
  const auto picture = co_await views.get();
  if (!picture) co_return problem(503, "Service Unavailable", "The gateway's loop hangs.");
  std::optional<std::string> told;
  if (!picture->hangs) {
    told = co_await field.ask<std::string>(
        [program = std::move(program)](Context&) { return program(); });
  }
  const auto& view = picture->view;
  auto shown = status_json(view, version(), Items::list);
  std::string text;
  if (told && told->size() > 2 && told->starts_with("{\"version\":") && told->ends_with('}')) {
    // The members of both, in one object.
    shown.erase("version");
    text = std::move(*told);
    text.back() = ',';
    text += std::string_view(json_text(shown)).substr(1);
  } else {
    text = json_text(shown);
  }
  auto response = json_answer(std::move(text));
  if (!told || !view.late.empty() || !view.ready) response.status = 503;
  co_return response;
}

Task<Response> lines(Views& views) {
  const auto view = co_await views.with_plans();
  if (!view) co_return problem(503, "Service Unavailable", "The gateway's loop hangs.");
  co_return json_answer(json_text(lines_json(*view)));
}

}  // namespace

void add_status(Router& router, Views& views, Field& field, std::function<std::string()> program) {
  router.add({"GET", "/api/status", Role::viewer,
              [&views, &field, program](const Call&) { return status(views, field, program); }});
  router.add(
      {"GET", "/api/diag/lines", Role::viewer, [&views](const Call&) { return lines(views); }});
}

}  // namespace lightship::portal
