// Waking sleepers in order, with the loop run in between.
#include "base/manual_clock.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace lightship {

ManualClock::ManualClock(asio::io_context& loop, Time start) : loop_(loop), wall_(start) {}

ManualClock::~ManualClock() = default;

Task<void> ManualClock::sleep_until(MonoTime when) {
  asio::steady_timer sleep(co_await asio::this_coro::executor,
                           asio::steady_timer::time_point::max());
  bool due = false;
  const auto ticket = call_at(when, [&] {
    due = true;
    sleep.cancel();
  });
  // A coroutine that is destroyed in its sleep (a loop torn down by a test) takes its ticket along.
  const std::unique_ptr<const Ticket, std::function<void(const Ticket*)>> taken(
      &ticket, [this](auto* mine) { forget(*mine); });
  boost::system::error_code ended;
  co_await sleep.async_wait(asio::redirect_error(asio::use_awaitable, ended));
  if (!due) throw boost::system::system_error(ended);
}

Task<bool> ManualClock::sleep_unless_woken(MonoTime when, asio::steady_timer& bell) {
  bell.expires_at(asio::steady_timer::time_point::max());
  bool due = false;
  const auto ticket = call_at(when, [&] {
    due = true;
    bell.cancel();
  });
  const std::unique_ptr<const Ticket, std::function<void(const Ticket*)>> taken(
      &ticket, [this](auto* mine) { forget(*mine); });
  boost::system::error_code ended;
  co_await bell.async_wait(asio::redirect_error(asio::use_awaitable, ended));
  const auto told = co_await asio::this_coro::cancellation_state;
  if (told.cancelled() != asio::cancellation_type::none)
    throw boost::system::system_error(asio::error::operation_aborted);
  co_return !due;
}

ManualClock::Ticket ManualClock::call_at(MonoTime when, std::function<void()> what) {
  const Ticket ticket{when, next_ticket_++};
  due_.emplace(ticket, std::move(what));
  return ticket;
}

std::optional<MonoTime> ManualClock::next_due() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first.first;
}

void ManualClock::advance(std::chrono::nanoseconds step) {
  const MonoTime end = mono_ + step;
  run_ready();
  while (!due_.empty() && due_.begin()->first.first <= end) {
    auto next = due_.extract(due_.begin());
    move_to(next.key().first);
    next.mapped()();
    run_ready();
  }
  move_to(end);
  run_ready();
}

void ManualClock::run_ready() {
  // A loop that ran out of work is stopped; the next poll needs it fresh.
  do loop_.restart();
  while (loop_.poll() > 0);
}

void ManualClock::move_to(MonoTime when) {
  if (when <= mono_) return;
  behind_ += when - mono_;
  mono_ = when;
  const auto whole = std::chrono::floor<std::chrono::microseconds>(behind_);
  wall_ += whole;
  behind_ -= whole;
}

}  // namespace lightship
