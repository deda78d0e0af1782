// Copies what the catalog and the cache know.
#include "core/points_view.h"

#include <algorithm>

namespace lightship {

PointsView points_of(Context& context, DeviceId device) {
  PointsView view;
  view.device = device;
  view.name = context.catalog.info(device).id();
  view.at = context.clock.now();
  const auto mono = context.clock.mono();
  const auto& image = context.cache.image(device);
  const auto& points = context.catalog.points(device);
  view.points.reserve(points.size());
  for (const auto id : points) {
    const auto& info = context.catalog.info(id);
    const auto& state = context.cache.point(id);
    auto& shown = view.points.emplace_back();
    shown.id = id;
    shown.name = std::string_view(info.name);
    shown.unit = std::string_view(info.unit);
    shown.interval =
        info.interval.count() > 0 ? info.interval : context.catalog.info(device).poll_interval;
    if (info.registers.count > 0) {
      shown.registers = info.registers;
      // What was read last, however old: the age says that.
      (void)image.read(info.registers.space, info.registers.first, info.registers.count,
                       MonoTime::min(), shown.raw);
    }
    shown.heard = state.arrived != MonoTime::min();
    shown.value = state.value;
    shown.reason = state.reason;
    shown.code = state.code;
    if (!shown.heard) continue;
    shown.measured = state.at;
    shown.age = std::chrono::duration_cast<Duration>(std::max(mono, state.arrived) - state.arrived);
  }
  return view;
}

}  // namespace lightship
