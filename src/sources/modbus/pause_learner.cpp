// Counts hurried requests that failed.
#include "sources/modbus/pause_learner.h"

#include <algorithm>

namespace lightship::poller {

using namespace std::chrono_literals;

namespace {

constexpr Duration kFirst = 10ms;
// Silence longer than this is no hurry.
constexpr Duration kUnhurried = PauseLearner::kLongest + 100ms;
// What a retry waits longer than the request that failed.
constexpr Duration kClearlyLonger = 50ms;
// So many failures that vanish with a pause, and at least one request of so many, make it grow.
constexpr unsigned kEnough = 3, kOneOf = 5;
constexpr unsigned kMemory = 60;  // requests; then they count half
// A pause is shortened after so many good requests and so long a time without a failure.
constexpr unsigned kManyGood = 200;
constexpr auto kShrinkAfter = 1h;
constexpr auto kAgainAfter = 24h;  // what went wrong is not tried again sooner

}  // namespace

Duration PauseLearner::pause_of_retry() const {
  return locked_ ? pause_ : pause_ + kClearlyLonger + 1ms;
}

bool PauseLearner::told(bool good, Duration quiet, MonoTime now) {
  if (locked_) return false;
  if (!good) {
    // One that fails after a long silence too does not fail for hurry.
    if (++failures_ == 1 && quiet < kUnhurried)
      failed_ = quiet;
    else
      failed_.reset();
    return false;
  }
  failures_ = 0;
  const auto failed = std::exchange(failed_, std::nullopt);
  if (failed && quiet > *failed + kClearlyLonger) {
    ++hurried_;
    if (hurried_ >= kEnough && hurried_ * kOneOf >= hurried_ + good_) return grow(now);
    return false;
  }
  if (quiet >= kUnhurried) return false;
  ++good_;
  if (hurried_ == 0) return good_ >= kManyGood && shrink(now);
  if (hurried_ + good_ >= kMemory) {
    hurried_ /= 2;
    good_ /= 2;
  }
  return false;
}

bool PauseLearner::grow(MonoTime now) {
  hurried_ = good_ = 0;
  if (pause_ == Duration{} && now < not_before_) return false;
  changed_ = now;
  too_short_ = std::max(too_short_, pause_);
  if (before_ > pause_) {  // it had been shortened too much
    pause_ = std::exchange(before_, Duration{});
    not_before_ = now + kAgainAfter;
  } else if (pause_ >= kLongest) {  // it does not help
    pause_ = too_short_ = Duration{};
    not_before_ = now + kAgainAfter;
  } else {
    pause_ = pause_ == Duration{} ? kFirst : std::min(2 * pause_, kLongest);
  }
  return true;
}

bool PauseLearner::shrink(MonoTime now) {
  const auto shorter = pause_ < kFirst ? Duration{} : pause_ - pause_ / 4;
  if (pause_ == Duration{} || shorter <= too_short_ || now < not_before_) return false;
  if (changed_ == MonoTime{}) changed_ = now;  // learned before this start
  if (now < changed_ + kShrinkAfter) return false;
  good_ = 0;
  before_ = pause_;
  pause_ = shorter;
  changed_ = now;
  return true;
}

}  // namespace lightship::poller
