// Hands places on.
#include "portal/turns.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace lightship::portal {

Turns::Place Turns::place_in(std::shared_ptr<State> state) {
  auto* const some = state.get();
  return {some, [state = std::move(state)](void*) { leave(state); }};
}

void Turns::leave(const std::shared_ptr<State>& state) {
  while (!state->waiting.empty()) {
    const auto next = state->waiting.front().lock();
    state->waiting.pop_front();
    if (!next) continue;
    next->place = place_in(state);
    next->bell.cancel();
    return;
  }
  ++state->free;
}

Task<Turns::Place> Turns::take() {
  const auto state = state_;
  if (state->free > 0) {
    --state->free;
    co_return place_in(state);
  }
  std::erase_if(state->waiting, [](const auto& one) { return one.expired(); });
  if (state->waiting.size() >= state->most_waiting) co_return nullptr;
  const auto mine = std::make_shared<Waiting>(co_await asio::this_coro::executor);
  state->waiting.push_back(mine);
  boost::system::error_code woken;
  co_await mine->bell.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  if (!mine->place) throw boost::system::system_error(asio::error::operation_aborted);
  co_return std::move(mine->place);
}

}  // namespace lightship::portal
