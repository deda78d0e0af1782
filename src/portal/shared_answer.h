// One answer for all who ask at once and shortly after: whoever comes first asks, the others wait
// for him, and what he was told is kept for a while. Of one loop only.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/clock.h"
#include "base/task.h"

namespace lightship::portal {

template <class T>
class SharedAnswer {
 public:
  using Answer = std::shared_ptr<const T>;

  // Kept for `max_age` from when it was asked.
  SharedAnswer(Clock& clock, Duration max_age) : clock_(clock), max_age_(max_age) {}

  // Nothing: `ask` was told nothing. That is not kept, but those who wait are told it too.
  Task<Answer> get(std::function<Task<std::optional<T>>()> ask) {
    for (;;) {
      if (newest_ && clock_.mono() - asked_ <= max_age_) co_return newest_;
      const auto under_way = flight_.lock();
      if (!under_way) break;
      boost::system::error_code woken;
      co_await under_way->over.async_wait(asio::redirect_error(asio::use_awaitable, woken));
      // Else whoever asked was stopped, and somebody else has to.
      if (under_way->landed) co_return under_way->answer;
    }
    const Lands mine{std::make_shared<Flight>(co_await asio::this_coro::executor)};
    flight_ = mine.flight;
    const auto asked = clock_.mono();
    auto told = co_await ask();
    mine.flight->landed = true;
    if (told) mine.flight->answer = std::make_shared<const T>(std::move(*told));
    // Not where it was forgotten on the way.
    if (flight_.lock() == mine.flight) {
      flight_.reset();
      newest_ = mine.flight->answer;
      asked_ = asked;
    }
    co_return mine.flight->answer;
  }

  // What is known is no longer so: the next who comes asks, whoever is under way.
  void forget() {
    newest_.reset();
    flight_.reset();
  }

 private:
  struct Flight {
    explicit Flight(const asio::any_io_executor& on)
        : over(on, asio::steady_timer::time_point::max()) {}
    asio::steady_timer over;
    bool landed = false;
    Answer answer;
  };
  // Ends the flight for those who wait, however the asking ends.
  struct Lands {
    std::shared_ptr<Flight> flight;
    ~Lands() { flight->over.cancel(); }
  };

  Clock& clock_;
  const Duration max_age_;
  std::weak_ptr<Flight> flight_;
  Answer newest_;
  MonoTime asked_{};
};

}  // namespace lightship::portal
