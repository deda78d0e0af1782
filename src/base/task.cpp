// TaskGroup: start, cancel, join.
#include "base/task.h"

#include <cassert>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace lightship {

TaskGroup::TaskGroup(asio::any_io_executor executor)
    : executor_(std::move(executor)), idle_(executor_, asio::steady_timer::time_point::max()) {}

TaskGroup::~TaskGroup() { assert(running_.empty()); }

void TaskGroup::spawn(Task<void> task) {
  const auto which = running_.emplace(running_.end());
  asio::co_spawn(
      executor_, std::move(task),
      asio::bind_cancellation_slot(which->stop.slot(),
                                   [this, which](std::exception_ptr why) { ended(which, why); }));
  if (cancelled_) {
    // Posted, because a coroutine that has not begun cannot be cancelled yet.
    asio::post(executor_, [this, which] {
      for (auto at = running_.begin(); at != running_.end(); ++at) {
        if (at == which) return at->stop.emit(asio::cancellation_type::terminal);
      }
    });
  }
}

void TaskGroup::cancel() {
  cancelled_ = true;
  for (auto at = running_.begin(); at != running_.end();) {
    auto& stop = at->stop;
    ++at;  // a task may end, and leave the list, inside emit
    stop.emit(asio::cancellation_type::terminal);
  }
}

Task<void> TaskGroup::join() {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  while (!running_.empty()) {
    boost::system::error_code ignored;
    co_await idle_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

Task<void> TaskGroup::run() {
  bool stopped = false;
  while (!running_.empty() && !failure_ && !stopped) {
    boost::system::error_code woken;
    co_await idle_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    const auto state = co_await asio::this_coro::cancellation_state;
    stopped = state.cancelled() != asio::cancellation_type::none;
  }
  cancel();
  // A coroutine that was cancelled may not wait for anything any more until it says otherwise.
  if (stopped) co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await join();
  if (stopped) throw boost::system::system_error(asio::error::operation_aborted);
}

void TaskGroup::ended(std::list<Running>::iterator which, std::exception_ptr why) {
  // The slot of a finished operation may still be on the stack of emit: the list node goes later.
  auto gone = std::make_shared<std::list<Running>>();
  gone->splice(gone->end(), running_, which);
  asio::post(executor_, [gone] {});
  if (why && !is_cancellation(why) && !failure_) failure_ = why;
  if (running_.empty() || failure_) idle_.cancel();
}

bool is_cancellation(const std::exception_ptr& why) {
  if (!why) return false;
  try {
    std::rethrow_exception(why);
  } catch (const boost::system::system_error& error) {
    return error.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

}  // namespace lightship
