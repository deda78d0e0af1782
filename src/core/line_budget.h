// How many lines of one kind may be written: some at once, then one each so often.
#pragma once

#include <algorithm>
#include <optional>

#include "base/clock.h"

namespace lightship {

class LineBudget {
 public:
  LineBudget(unsigned at_once, Duration each) : most_(at_once), left_(at_once), each_(each) {}

  // Whether there is room for one, which is then taken.
  bool take(MonoTime now) {
    refill(now);
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
  }
  // How long until there is room for one; nothing is taken.
  Duration wait(MonoTime now) {
    refill(now);
    if (left_ >= 1) return {};
    return std::chrono::ceil<Duration>(std::chrono::duration<double>(each_) * (1 - left_));
  }
  // What was taken was not needed.
  void give_back(MonoTime now) {
    refill(now);
    left_ = std::min(left_ + 1, most_);
  }
  // One was written then, by another program or before this one began.
  void took(MonoTime at) {
    refill(at);
    left_ = std::max(left_ - 1, 0.0);
  }

 private:
  void refill(MonoTime now) {
    const std::chrono::duration<double> passed = std::max(now - seen_.value_or(now), {});
    seen_ = std::max(now, seen_.value_or(now));
    left_ = std::min(left_ + passed / each_, most_);
  }
  double most_, left_;
  Duration each_;
  std::optional<MonoTime> seen_;
};

}  // namespace lightship
