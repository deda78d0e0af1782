// Finds what is asked about, and has it explained.
#include "portal/api/explain.h"

#include <algorithm>

#include <boost/json/array.hpp>

#include "base/text.h"
#include "portal/explain.h"
#include "portal/view_json.h"
#include "portal/views.h"

namespace lightship::portal {
namespace {

namespace json = boost::json;

Response unknown(const std::string& detail) { return problem(404, "Not Found", detail); }

Response told(const std::string& about, const Explanation& said) {
  json::object out;
  out["about"] = about;
  out["answer"] = said.answer;
  json::array because;
  for (const auto& [text, figure] : said.because) {
    json::object one;
    one["text"] = text;
    one["figure"] = figure.empty() ? json::value(nullptr) : json::value(figure);
    because.push_back(std::move(one));
  }
  out["because"] = std::move(because);
  json::array advice;
  for (const auto& one : said.advice) advice.emplace_back(one);
  out["advice"] = std::move(advice);
  return json_answer(json_text(out));
}

Task<Response> explain(Views& views, const Call& call) {
  const auto about = call.parameter("about").value_or("");
  const auto colon = about.find(':');
  const auto kind = about.substr(0, colon);
  const auto name = colon == std::string::npos ? std::string() : about.substr(colon + 1);
  if ((kind != "device" && kind != "line" && kind != "point") || name.empty() ||
      about.size() > 512) {
    co_return problem(400, "Bad Request",
                      "about is device:ID, line:NAME or point:DEVICE/NAME, found '" +
                          std::string(start_of(about, 128)) + "'.");
  }
  const auto picture = co_await views.with_plans();
  if (!picture) co_return problem(503, "Service Unavailable", "The gateway's loop hangs.");
  const auto* const view = &picture->view;
  if (kind == "line") {
    const auto* line = view->line(name);
    if (line == nullptr)
      co_return unknown("There is no line " + std::string(start_of(name, 128)) + ".");
    co_return told(about, explain_line(*view, *line));
  }
  const auto cut = kind == "point" ? name.rfind('/') : std::string::npos;
  const auto id = name.substr(0, cut);
  const auto named = co_await views.find(id);
  if (!named) co_return unknown(named.error().text);
  if (kind == "device") {
    const auto* device = view->device(named->name);
    if (device == nullptr) co_return unknown(named->name + " is on no line that runs.");
    co_return told(about, explain_device(*view, *device));
  }
  const auto points = co_await views.points(named->name);
  if (!points) co_return unknown(points.error().text);
  const auto point = cut == std::string::npos ? std::string() : name.substr(cut + 1);
  const auto found = std::ranges::find((*points)->points, point, &PointView::name);
  if (found == (*points)->points.end())
    co_return unknown(fmt::format("{} has no point '{}'.", named->name, start_of(point, 128)));
  co_return told(about, explain_point(*view, **points, *found));
}

}  // namespace

void add_explain(Router& router, Views& views) {
  router.add({"GET", "/api/diag/explain", Role::viewer,
              [&views](const Call& call) { return explain(views, call); }});
}

}  // namespace lightship::portal
