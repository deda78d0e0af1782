// Who goes first when several devices want to speak: the one that is due first, unless it has had
// more than its share of the line lately.
//
// What a device used of the line, times the number of devices, is a debt that is paid off by
// waiting. On a line with room to spare the debts are gone before the next poll; on an over-booked
// one every device gets the same part of the time, so that a slow or talkative one cannot starve
// the others, and none waits for ever.
#pragma once

#include <algorithm>

#include "base/clock.h"

namespace lightship::poller {

class FairShare {
 public:
  // An alarm goes before polls that were due up to so much earlier; one that has waited longer goes
  // before it.
  static constexpr auto kAlarmLead = std::chrono::minutes(1);

  // So much goes a request of a person, or of a client of the gateway, before polls: whoever sends
  // one after the other does not stop them.
  static constexpr auto kAskLead = std::chrono::seconds(1);

  explicit FairShare(std::size_t devices) : devices_(static_cast<std::int64_t>(devices)) {}

  MonoTime rank(MonoTime due, bool alarm, MonoTime now) const {
    const auto debt = std::max(paid_off_ - now, std::chrono::nanoseconds{});
    // One that is late waits as long as the others since its last turn.
    return std::max(due, served_) + debt - (alarm ? kAlarmLead : std::chrono::nanoseconds{});
  }

  void used(std::chrono::nanoseconds line_time, MonoTime now) {
    served_ = now;
    const auto debt = devices_ * line_time;
    // Of what was used while nobody else wanted it not more than two turns are held against it.
    paid_off_ = std::min(std::max(paid_off_, now) + debt, now + 2 * debt);
  }

 private:
  std::int64_t devices_;
  MonoTime paid_off_{}, served_{};
};

}  // namespace lightship::poller
