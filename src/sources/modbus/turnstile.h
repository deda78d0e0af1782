// A turnstile: one line, many who want to speak; the one whose turn is due first goes first.
//
// `enter` returns a Turn; the next waiter is let in when it is destroyed. With more than one permit
// several are inside at once (a TCP connection that takes pipelined requests). Loop thread only.
#pragma once

#include <list>
#include <optional>

#include "base/clock.h"

namespace lightship::poller {

class Turnstile {
 public:
  explicit Turnstile(asio::any_io_executor executor, unsigned permits = 1)
      : executor_(std::move(executor)), permits_(permits) {}

  class Turn {
   public:
    Turn() = default;
    explicit Turn(Turnstile* of) : of_(of) {}
    Turn(Turn&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    Turn& operator=(Turn&& other) noexcept {
      release();
      of_ = std::exchange(other.of_, nullptr);
      return *this;
    }
    ~Turn() { release(); }
    void release() {
      if (of_ != nullptr) std::exchange(of_, nullptr)->leave();
    }

   private:
    Turnstile* of_ = nullptr;
  };

  // Waits for a permit; the smallest `due` goes first, equal ones in the order they came.
  Task<Turn> enter(MonoTime due);
  // A permit if one is free, without the coroutine that waiting takes.
  std::optional<Turn> try_enter() {
    if (permits_ == 0) return std::nullopt;
    --permits_;
    return Turn(this);
  }

  std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiter {
    MonoTime due;
    asio::steady_timer called;
    bool admitted = false;
  };
  void leave();

  asio::any_io_executor executor_;
  unsigned permits_;
  std::list<Waiter> waiting_;  // by due
};

}  // namespace lightship::poller
