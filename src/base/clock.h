// Time, injected: everything that waits or stamps asks a Clock, so that tests can be the time.
//
// `now` is the wall clock (UTC, microseconds; it may jump), `mono` the steady one. Only this file
// may call the system's clocks.
#pragma once

#include <chrono>
#include <string>

#include "base/task.h"

namespace lightship {

using Duration = std::chrono::microseconds;
using Time = std::chrono::sys_time<std::chrono::microseconds>;
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
  virtual MonoTime mono() const = 0;
  // Returns at `when`, at once when that is past. Throws on cancellation, as every Asio wait does.
  virtual Task<void> sleep_until(MonoTime when) = 0;
  // The same, but `bell.cancel()` ends it early: true then. A bell that rings while nobody sleeps
  // is not heard.
  virtual Task<bool> sleep_unless_woken(MonoTime when, asio::steady_timer& bell) = 0;
  // How long the machine has slept since boot; `mono` stood still meanwhile.
  virtual Duration suspended() const { return {}; }

  Task<void> sleep_for(std::chrono::nanoseconds pause) { return sleep_until(mono() + pause); }
};

// The steady clock for what waits on the kernel's timers alone and is never tested with another
// time.
MonoTime steady_now();

class SystemClock final : public Clock {
 public:
  Time now() const override;
  MonoTime mono() const override;
  Task<void> sleep_until(MonoTime when) override;
  Duration suspended() const override;
  Task<bool> sleep_unless_woken(MonoTime when, asio::steady_timer& bell) override;
};

// "2026-01-04T12:34:56.123Z", RFC 3339 in UTC with milliseconds.
std::string to_rfc3339(Time time);
// Back from exactly that form.
std::optional<Time> from_rfc3339(std::string_view text);

// "0.5 s", "41 ms", "3 min 20 s", "2 d 4 h": for people.
std::string for_people(std::chrono::nanoseconds duration);

constexpr double to_ms(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace lightship
