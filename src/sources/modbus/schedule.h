// When a device is asked next: on a grid of its own interval, so that nothing drifts.
//
// A poll that ends after its next due time is an overrun: the missed times are counted, and the
// next poll is at the next time of the same grid, never "interval after the end".
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace lightship::poller {

class Schedule {
 public:
  // `phase` spreads devices with equal intervals over the line.
  Schedule(Duration interval, MonoTime start, Duration phase = {})
      : interval_(interval), due_(start + phase) {}

  MonoTime due() const { return due_; }
  Duration interval() const { return interval_; }

  // The poll for `due` is over. Returns how many times of the grid went by meanwhile.
  std::uint64_t finished(MonoTime now) {
    due_ += interval_;
    if (due_ > now) return 0;
    const auto missed = static_cast<std::uint64_t>((now - due_) / interval_);
    due_ += missed * interval_;
    // Exactly one time of the grid is due now: it is late, but not lost.
    return missed;
  }

  // The times of the grid before `now` are left out on purpose: the newest of them is the due one.
  void leave_out(MonoTime now) {
    if (now > due_) due_ += (now - due_) / interval_ * interval_;
  }

 private:
  Duration interval_;
  MonoTime due_;
};

}  // namespace lightship::poller
