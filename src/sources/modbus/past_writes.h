// What was written before this program began, out of the audit: so that the bounds of writing hold
// over a restart, and for a command that is run again and again.
//
// A write counts from its end, where something was sent; one without an end (a power cut) from when
// it was asked. Of each guarded point the newest is kept, of the device those of the last minutes.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sources/modbus/device_setup.h"

namespace lightship::poller {

class PastWrites {
 public:
  struct Device {
    std::string id;
    std::vector<std::pair<std::size_t, DevicePoint>> guarded;  // by their place among its points
    std::map<std::size_t, Time> written;                       // of those, the newest
    std::deque<Time> recent;                                   // oldest first
  };
  // Of the rate of a device so much is kept; it is full again after a minute.
  static constexpr Duration kRecent = std::chrono::minutes(2);
  static constexpr std::size_t kMostRecent = 20'000;

  explicit PastWrites(Time now) : now_(now) {}
  void watch(const DeviceSetup& setup);
  Time since() const;  // what is older bounds nothing any more

  void take(std::string_view line);      // of the audit, in their order
  const std::vector<Device>& devices();  // when all lines are taken

 private:
  struct Asked {
    Time at;
    std::string point;
    Space space = Space::holding;
    std::int64_t first = 0, count = 0;
    std::size_t device = 0;
  };
  void sent(const Asked& write);

  Time now_;
  Duration longest_ = kRecent;
  std::vector<Device> devices_;
  std::map<std::string, Asked> open_;  // by id: asked, and not ended yet
};

}  // namespace lightship::poller
