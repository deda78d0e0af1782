// So many at once; the others wait in turn, and so many of them and no more.
//
// For what is dear: a question to the history, a search of the log. Of one loop only.
#pragma once

#include <deque>
#include <memory>

#include <boost/asio/steady_timer.hpp>

#include "base/task.h"

namespace lightship::portal {

class Turns {
 public:
  Turns(std::size_t at_once, std::size_t most_waiting)
      : state_(std::make_shared<State>(at_once, most_waiting)) {}

  // Holds a place as long as it lives, and gives it to the next when it goes. May outlive Turns.
  using Place = std::shared_ptr<void>;
  // Nothing: too many wait already. Throws where the wait is cancelled.
  Task<Place> take();

 private:
  struct Waiting {
    explicit Waiting(const asio::any_io_executor& on)
        : bell(on, asio::steady_timer::time_point::max()) {}
    asio::steady_timer bell;
    Place place;  // given, as soon as there is one
  };
  struct State {
    State(std::size_t at_once, std::size_t most) : free(at_once), most_waiting(most) {}
    std::size_t free, most_waiting;
    std::deque<std::weak_ptr<Waiting>> waiting;  // who has given up is gone from here
  };
  static Place place_in(std::shared_ptr<State> state);
  static void leave(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
};

}  // namespace lightship::portal
