// What the program says of itself, and what the portal makes of the picture.
#include "portal/api/status.h"

#include "base/version.h"
#include "portal/view_json.h"
#include "portal/views.h"

namespace lightship::portal {
namespace {

constexpr Duration kFresh = std::chrono::milliseconds(250);
constexpr int kLinesText = 0;

struct Status {
  std::string text;
  bool well = false;
};
struct StatusDesk {
  Views& views;
  Field& field;
  std::function<std::string()> program;
  SharedAnswer<Status> newest;
};

Task<std::optional<Status>> ask_status(Views& views, Field& field,
                                       std::function<std::string()> program) {
  const auto picture = co_await views.get();
  if (!picture) co_return std::nullopt;
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
  co_return Status{std::move(text), told && view.late.empty() && view.ready};
}

Response shared_json(std::shared_ptr<const std::string> text) {
  Response response;
  response.content_type = "application/json";
  response.shared = std::move(text);
  return response;
}

// 503 tells a probe that something does not go on as it should; the body says what.
Task<Response> status(std::shared_ptr<StatusDesk> desk) {
  auto asking = desk->newest.get(
      [desk = desk.get()] { return ask_status(desk->views, desk->field, desk->program); });
  const auto told = co_await std::move(asking);
  if (!told) co_return problem(503, "Service Unavailable", "The gateway's loop hangs.");
  auto response = shared_json({told, &told->text});
  if (!told->well) response.status = 503;
  co_return response;
}

Task<Response> lines(Views& views) {
  const auto picture = co_await views.with_plans();
  if (!picture) co_return problem(503, "Service Unavailable", "The gateway's loop hangs.");
  co_return shared_json(
      picture->text(kLinesText, [](const View& view) { return json_text(lines_json(view)); }));
}

}  // namespace

void add_status(Router& router, Views& views, Field& field, std::function<std::string()> program) {
  const auto desk = std::make_shared<StatusDesk>(
      StatusDesk{views, field, std::move(program), {views.clock(), kFresh}});
  router.add({"GET", "/api/status", Role::viewer, [desk](const Call&) { return status(desk); }});
  router.add(
      {"GET", "/api/diag/lines", Role::viewer, [&views](const Call&) { return lines(views); }});
}

}  // namespace lightship::portal
