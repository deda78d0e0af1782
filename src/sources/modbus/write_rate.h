// How often a device and its points are written: a runaway script wears out an EEPROM in hours.
#pragma once

#include <algorithm>
#include <optional>

#include "base/clock.h"

namespace lightship::poller {

class WriteRate {
 public:
  explicit WriteRate(unsigned per_minute) : most_(per_minute), left_(per_minute) {}

  // How long a write has to wait; nothing when it may go now.
  std::optional<Duration> wait(MonoTime now) {
    if (most_ == 0) return std::nullopt;
    refill(now);
    if (left_ >= 1) return std::nullopt;
    return std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>((1 - left_) * 60.0 / most_));
  }
  void written(MonoTime now) {
    refill(now);
    left_ = std::max(left_ - 1, 0.0);
  }

 private:
  void refill(MonoTime now) {
    const std::chrono::duration<double> passed = std::max(now - seen_.value_or(now), {});
    seen_ = std::max(now, seen_.value_or(now));
    left_ = std::min(left_ + passed.count() * most_ / 60, static_cast<double>(most_));
  }
  double most_, left_;
  std::optional<MonoTime> seen_;
};

}  // namespace lightship::poller
