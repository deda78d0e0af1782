// Carries out what is wanted.
#include "app/changes.h"

#include <algorithm>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace lightship::app {

Changes::Changes(asio::any_io_executor executor)
    : executor_(executor), bell_(executor, MonoTime::max()) {}

void Changes::want(Change change) {
  if (wanted_.size() >= kMost) return;
  wanted_.push_back(std::make_shared<Wanted>(executor_, std::move(change)));
  bell_.cancel();
}

Task<Result<void>> Changes::done(Change change, std::string part) {
  if (wanted_.size() >= kMost)
    co_return fail(Errc::unavailable, "{} changes wait already; try again later", kMost);
  want(std::move(change));
  const auto mine = wanted_.back();
  mine->part = std::move(part);
  boost::system::error_code woken;
  co_await mine->over.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  co_return mine->result;
}

Task<Result<void>> Changes::once(std::string part, Change change) {
  if (std::ranges::any_of(wanted_, [&](const auto& one) { return one->part == part; }))
    co_return fail(Errc::refused, "'{}' is being restarted already", part);
  co_return co_await done(std::move(change), std::move(part));
}

void Changes::stop() {
  stopped_ = true;
  bell_.cancel();
}

Task<void> Changes::run() {
  boost::system::error_code woken;
  while (!stopped_) {
    if (wanted_.empty()) {
      co_await bell_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
      continue;
    }
    const auto next = wanted_.front();
    auto change = next->change();
    // A part that is taken away halfway would never be heard of again: what has begun is ended.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    next->result = co_await std::move(change);
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    wanted_.pop_front();
    next->over.cancel();
  }
}

}  // namespace lightship::app
