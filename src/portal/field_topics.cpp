// What each topic shows, asked for while somebody watches.
#include "portal/field_topics.h"

#include "base/version.h"
#include "portal/view_json.h"
#include "portal/views.h"

namespace lightship::portal {
namespace {

using namespace std::chrono_literals;
using Shown = Result<boost::json::value>;

Shown hangs() { return fail(Errc::unavailable, "the gateway's loop does not answer"); }

Task<Shown> devices(Views& views) {
  const auto picture = co_await views.get(500ms);
  if (!picture || picture->hangs) co_return hangs();
  co_return boost::json::value(devices_json(picture->view, Items::keyed));
}

Task<Shown> services(Views& views) {
  const auto picture = co_await views.get(500ms);
  if (!picture || picture->hangs) co_return hangs();
  co_return boost::json::value(status_json(picture->view, version(), Items::keyed));
}

Task<Shown> points(Views& views, std::string device) {
  const auto found = co_await views.points(std::move(device), 200ms);
  if (!found) co_return fail(found.error());
  co_return boost::json::value(points_json(**found, Items::keyed));
}

}  // namespace

void add_field_topics(LiveHub& live, Views& views) {
  live.add(StateTopic{.name = "devices", .interval = 1s, .provider = [&views](std::string) {
                        return devices(views);
                      }});
  live.add(StateTopic{.name = "services", .interval = 1s, .provider = [&views](std::string) {
                        return services(views);
                      }});
  // A value is there within a poll of the quickest devices.
  live.add(StateTopic{.name = "device:", .interval = 250ms, .provider = [&views](std::string id) {
                        return points(views, std::move(id));
                      }});
}

}  // namespace lightship::portal
