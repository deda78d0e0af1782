// Bus and inlets.
#include "core/bus.h"

#include <algorithm>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace lightship {

void Bus::publish(Readings readings) {
  cache_.apply(readings);
  ++published_;
  readings_ += readings.readings.size();
  if (inlets_->empty()) return;
  const auto event = std::make_shared<const Readings>(std::move(readings));
  for (auto* inlet : *inlets_) inlet->offer(event);
}

std::unique_ptr<Inlet> Bus::subscribe(std::string name, std::size_t capacity) {
  auto inlet = std::make_unique<Inlet>(executor_, std::move(name), capacity, inlets_);
  inlets_->push_back(inlet.get());
  return inlet;
}

std::uint64_t Bus::dropped() const {
  std::uint64_t sum = 0;
  for (const auto* inlet : *inlets_) sum += inlet->dropped();
  return sum;
}

Inlet::Inlet(asio::any_io_executor executor, std::string name, std::size_t capacity,
             std::shared_ptr<std::vector<Inlet*>> siblings)
    : name_(std::move(name)),
      capacity_(capacity),
      siblings_(std::move(siblings)),
      ready_(executor, asio::steady_timer::time_point::max()) {}

Inlet::~Inlet() { std::erase(*siblings_, this); }

void Inlet::offer(const Event& event) {
  if (events_.size() >= capacity_) {
    events_.pop_front();
    ++dropped_;
  }
  events_.push_back(event);
  ready_.cancel();
}

Task<Event> Inlet::next() {
  while (events_.empty()) {
    boost::system::error_code woken;
    co_await ready_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
      throw boost::system::system_error(asio::error::operation_aborted);
    }
  }
  Event event = std::move(events_.front());
  events_.pop_front();
  co_return event;
}

}  // namespace lightship
