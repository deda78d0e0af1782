// Any bytes as lines of the audit: writes that are found in them are of points that there are, in
// order, bounded, and none of the future. Input: lines.
#include "base/text.h"
#include "modbus_input.h"
#include "sources/modbus/past_writes.h"

using namespace lightship;
using namespace lightship::poller;
using fuzz::require;

namespace {

DeviceSetup press() {
  DeviceSetup setup;
  setup.info.connection = "hall";
  setup.info.client = "press";
  setup.max_writes_per_minute = 10;
  const WriteRule seldom{.min_interval = std::chrono::hours(1)};
  setup.points.push_back(
      {"wear", "", {Space::holding, 60, 2}, {}, {}, {}, std::make_shared<const WriteRule>(seldom)});
  setup.points.push_back({"free", "", {Space::holding, 62, 1}, {}, {}});
  return setup;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto setup = press();
  const auto now = *from_rfc3339("2026-01-04T12:00:00.000Z");
  PastWrites past(now);
  past.watch(setup);
  const std::string text(data, data + size);
  for (const auto line : split(text, '\n')) past.take(line);
  const auto& devices = past.devices();
  require(devices.size() == 1);
  for (const auto& [which, at] : devices.front().written)
    require(which == 0 && at <= now && at >= past.since());
  const auto& recent = devices.front().recent;
  require(recent.size() <= PastWrites::kMostRecent && std::ranges::is_sorted(recent));
  require(recent.empty() || (recent.back() <= now && recent.front() >= now - PastWrites::kRecent));
  return 0;
}
