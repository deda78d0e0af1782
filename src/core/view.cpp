// Words and look-ups of the picture.
#include "core/view.h"

#include <algorithm>

namespace lightship {

const DeviceView* View::device(std::string_view name) const {
  const auto found = std::ranges::find(devices, name, &DeviceView::name);
  return found == devices.end() ? nullptr : &*found;
}

const LineView* View::line(std::string_view name) const {
  const auto found = std::ranges::find(lines, name, &LineView::name);
  return found == lines.end() ? nullptr : &*found;
}

std::string_view to_string(ServiceView::State state) {
  constexpr std::string_view kWords[] = {"good", "warning", "alarm", "stale", "busy"};
  return kWords[static_cast<std::size_t>(state)];
}

std::string_view to_string(DeviceView::State state) {
  constexpr std::string_view kWords[] = {"ok",      "slow",     "failing",
                                         "offline", "disabled", "starting"};
  return kWords[static_cast<std::size_t>(state)];
}

std::string_view to_string(Trouble trouble) {
  constexpr std::string_view kWords[] = {"none",       "no_bytes",  "bad_crc",      "exception",
                                         "wrong_unit", "busy_port", "no_connection"};
  return kWords[static_cast<std::size_t>(trouble)];
}

}  // namespace lightship
