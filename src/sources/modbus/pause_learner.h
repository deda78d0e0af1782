// How long a device wants to be left alone before it is asked again, learned from its answers.
//
// The sign is a request that follows soon after other traffic and fails, and is answered when it is
// sent again after a longer silence. When that happens often the pause grows; when it has not
// happened for long it shrinks a little, and grows back if that was too much. A pause that does not
// help is given up. Pure: no clock.
#pragma once

#include <optional>

#include "base/clock.h"

namespace lightship::poller {

class PauseLearner {
 public:
  static constexpr Duration kLongest = std::chrono::milliseconds(500);

  PauseLearner(Duration start, bool locked) : pause_(start), locked_(locked) {}

  Duration pause() const { return pause_; }
  // Before a request that is sent again: the silence that tells whether hurry was the reason.
  Duration pause_of_retry() const;

  // A request that began `quiet` after the line's last character was answered, or was not (silence,
  // or damage). True: the pause has changed.
  bool told(bool good, Duration quiet, MonoTime now);

  void start_with(Duration pause) {  // what another device of the model has learned
    if (!locked_) pause_ = pause;
  }

 private:
  bool grow(MonoTime now);
  bool shrink(MonoTime now);

  Duration pause_;
  bool locked_;
  std::optional<Duration> failed_;  // the silence before the request that failed
  unsigned failures_ = 0;           // in a row
  unsigned hurried_ = 0, good_ = 0;
  Duration too_short_{};   // the longest pause that is known not to be enough
  Duration before_{};      // the pause that was shortened, to go back to
  MonoTime changed_{};     // when the pause was last changed
  MonoTime not_before_{};  // for growing: after it did not help; for shrinking: after it was wrong
};

}  // namespace lightship::poller
