// Time for tests: it stands still until the test moves it.
//
// The test owns an io_context, spawns coroutines on it and calls `advance`, which runs the loop and
// wakes each sleeper at its own moment, in the order of due times (equal ones in the order they lay
// down). No real time passes and nothing else needs to poll.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>

#include <boost/asio/io_context.hpp>

#include "base/clock.h"

namespace lightship {

class ManualClock final : public Clock {
 public:
  // 2026-01-04T12:00:00Z and one hour of uptime, unless said otherwise.
  explicit ManualClock(asio::io_context& loop,
                       Time start = std::chrono::sys_days(std::chrono::year(2026) / 1 / 4) +
                                    std::chrono::hours(12));
  ~ManualClock() override;

  Time now() const override { return wall_; }
  MonoTime mono() const override { return mono_; }
  Task<void> sleep_until(MonoTime when) override;
  Task<bool> sleep_unless_woken(MonoTime when, asio::steady_timer& bell) override;

  // Runs what is ready, moves the time to each due moment within `step`, running the loop after
  // each.
  void advance(std::chrono::nanoseconds step);
  void settle() { advance({}); }  // runs what is ready, time stands still

  void jump_wall(std::chrono::microseconds by) {
    wall_ += by;
  }  // NTP, a user: the steady time is not moved

  void suspend(std::chrono::microseconds by) {
    wall_ += by;
    suspended_ += by;
  }  // the machine sleeps: the steady time stands still
  Duration suspended() const override { return suspended_; }

  // Calls `what` (on the loop's thread, inside `advance`) once the time is `when`. For scripted
  // peers.
  using Ticket = std::pair<MonoTime, std::uint64_t>;
  Ticket call_at(MonoTime when, std::function<void()> what);
  void forget(const Ticket& ticket) { due_.erase(ticket); }

  asio::io_context& loop() { return loop_; }
  std::size_t sleepers() const { return due_.size(); }
  std::optional<MonoTime> next_due() const;

 private:
  void run_ready();
  void move_to(MonoTime when);

  asio::io_context& loop_;
  Time wall_;
  MonoTime mono_{std::chrono::hours(1)};
  Duration suspended_{};
  std::chrono::nanoseconds behind_{};  // nanoseconds not yet in the wall clock's microseconds
  std::map<Ticket, std::function<void()>> due_;
  std::uint64_t next_ticket_ = 0;
};

}  // namespace lightship
