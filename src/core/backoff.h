// Back-off: pauses that double up to a limit, with jitter so that many do not come back at once.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace lightship {

class Backoff {
 public:
  struct Settings {
    Duration first = std::chrono::seconds(1);
    Duration limit = std::chrono::seconds(60);
    double jitter = 0.2;  // the pause is shortened by up to this part of itself
  };
  explicit Backoff(Settings settings, std::uint64_t seed = 1)
      : settings_(settings), random_(seed | 1) {}

  Duration next();                 // the pause before the next try
  void reset() { failures_ = 0; }  // it worked, or a person asked for an immediate try
  unsigned failures() const { return failures_; }

 private:
  Settings settings_;
  unsigned failures_ = 0;
  std::uint64_t random_;
};

}  // namespace lightship
