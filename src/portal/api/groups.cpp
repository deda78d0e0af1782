// A second row with the same handler is the other spelling; a list of rows is a group.
#include "portal/api/groups.h"

#include "base/json_writer.h"
#include "portal/router.h"

namespace lightship::portal {
namespace {

constexpr std::string_view kDevice = "/api/device/";
constexpr std::string_view kDevices = "/api/devices/";

Task<Response> list(std::shared_ptr<const std::string> text) {
  Response response;
  response.content_type = "application/json";
  response.shared = std::move(text);
  co_return response;
}

// {"items":[{"method":"GET","path":"/api/diag/lines","role":"viewer"}],"next":null}
std::string listed(const std::vector<Route>& routes, std::string_view below) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("items").begin_array();
  for (const auto& route : routes) {
    if (!route.pattern.starts_with(below)) continue;
    json.begin_object().member("method", route.method).member("path", route.pattern);
    json.key("role");
    if (route.least) {
      json.value(to_string(*route.least));
    } else {
      json.null();
    }
    json.end_object();
  }
  json.end_array().key("next").null().end_object();
  return text;
}

}  // namespace

void add_groups(Router& router) {
  std::vector<Route> others;
  for (const auto& route : router.routes()) {
    auto other = route;
    if (route.pattern == "/api/device-health") {
      other.pattern = "/api/devices";
    } else if (route.pattern == "/api/status") {
      other.pattern = "/api/service";
    } else if (route.pattern.starts_with(kDevice)) {
      other.pattern = std::string(kDevices) + route.pattern.substr(kDevice.size());
    } else {
      continue;
    }
    others.push_back(std::move(other));
  }
  for (auto& other : others) router.add(std::move(other));

  const auto diag = std::make_shared<const std::string>(listed(router.routes(), "/api/diag/"));
  router.add({"GET", "/api/diag", Role::viewer, [diag](const Call&) { return list(diag); }});
  const auto all = std::make_shared<std::string>();
  router.add({"GET", "/api", Role::viewer, [all](const Call&) { return list(all); }});
  *all = listed(router.routes(), "/");
}

}  // namespace lightship::portal
