// How long a device takes to answer, and how long it is worth waiting for it.
//
// The typical time is smoothed; the slowest one fades, so that a device which has become fast again
// is soon waited for less. docs/adr/0007-learned-time-outs.md.
#pragma once

#include <algorithm>

#include "base/clock.h"

namespace lightship::poller {

class AnswerTime {
 public:
  // No wait is shorter: a loaded gateway or a USB adapter may add this much to a fast device.
  static constexpr Duration kLeastPatience = std::chrono::milliseconds(200);

  void heard(Duration took) {
    typical_ = known_ ? (7 * typical_ + took) / 8 : took;
    slowest_ = std::max(took, slowest_ - slowest_ / 64);
    known_ = true;
  }

  bool known() const { return known_; }
  Duration typical() const { return typical_; }
  // Of a device that is silent: it is asked again later, and costs others less.
  Duration probe_patience() const {
    return std::max({kLeastPatience / 2, 4 * typical_, 2 * slowest_});
  }
  Duration patience() const { return std::max({kLeastPatience, 4 * typical_, 2 * slowest_}); }

 private:
  Duration typical_{}, slowest_{};
  bool known_ = false;
};

}  // namespace lightship::poller
