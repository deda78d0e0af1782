// Watches the clocks: a wall clock that is moved, a machine that slept, a clock that is wrong at
// boot.
//
// Ages are counted on the steady clock, which stands still while the machine is suspended; times of
// day come from the wall clock, which anybody may move. Looked at once a second, the watch tells
// the two apart: wall = steady + suspended + offset, and an offset that changes at once is a step.
// Slewing by NTP (at most 500 ppm, adjtimex(2)) is none.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace lightship {

class ClockWatch {
 public:
  // A wall clock before `not_before` cannot be right.
  ClockWatch(Clock& clock, Time not_before);

  struct News {
    Duration step{};                // the wall clock was moved by this; 0: it was not
    Duration suspended{};           // the machine slept for so long; 0: it did not
    std::optional<bool> plausible;  // changed to this
    Time before{}, after{};         // around a step: what it showed, what it shows
  };
  // What happened since the last look; who listens has been told when it returns.
  News look();

  bool plausible() const { return plausible_; }
  std::uint64_t steps() const { return steps_; }
  std::uint64_t suspends() const { return suspends_; }
  Duration last_step() const { return last_step_; }
  Time last_step_at() const { return last_step_at_; }

  // Called with everything that is worth telling, in the order of enrolment, until the token goes.
  using Listener = std::function<void(const News&)>;
  [[nodiscard]] std::shared_ptr<void> listen(Listener listener);

 private:
  Duration offset() const;

  Clock& clock_;
  Time not_before_;
  Duration offset_, suspended_;
  bool plausible_;
  std::uint64_t steps_ = 0, suspends_ = 0;
  Duration last_step_{};
  Time last_step_at_{};
  std::vector<std::weak_ptr<Listener>> listeners_;
};

// The newest time the program knows to have passed: of its release, or of its last run as kept in
// DATA_DIR/clock.json ({"time": "2026-01-04T12:00:00.000Z"}).
Time newest_known_time(const std::string& kept_json);
std::string keep_time(Time now);
inline constexpr const char* kClockFile = "clock.json";

}  // namespace lightship
