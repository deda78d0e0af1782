// Who speaks next on a line.
#include "sources/modbus/turnstile.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace lightship::poller {

Task<Turnstile::Turn> Turnstile::enter(MonoTime due) {
  if (permits_ > 0) {
    --permits_;
    co_return Turn(this);
  }
  auto place = waiting_.begin();
  while (place != waiting_.end() && place->due <= due) ++place;
  const auto me =
      waiting_.emplace(place, Waiter{due, asio::steady_timer(executor_, MonoTime::max())});

  boost::system::error_code woken;
  co_await me->called.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  const bool admitted = me->admitted;
  waiting_.erase(me);

  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none || !admitted) {
    if (admitted) leave();
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  co_return Turn(this);
}

void Turnstile::leave() {
  for (auto& waiter : waiting_) {
    if (waiter.admitted) continue;
    waiter.admitted = true;
    waiter.called.cancel();
    return;
  }
  ++permits_;
}

}  // namespace lightship::poller
