// What changes the parts that run, one after the other: a reload, or the restart of one of them.
//
// Each runs to its end, also when the program is told to stop meanwhile. Field loop only.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"

namespace lightship::app {

class Changes {
 public:
  using Change = std::function<Task<Result<void>>()>;

  explicit Changes(asio::any_io_executor executor);

  void want(Change change);
  // Wants it and waits for its end. unavailable: the program stops first, or too much waits.
  Task<Result<void>> done(Change change, std::string part = {});

  // The restart of `part`. refused: that is wanted already and not over.
  Task<Result<void>> once(std::string part, Change change);

  // Carries out what is wanted until cancelled, or stopped.
  Task<void> run();
  // What has begun is ended, nothing more begins. To be called before `run` is cancelled: while it
  // is at work it hears nothing of that.
  void stop();

 private:
  static constexpr std::size_t kMost = 32;
  struct Wanted {
    Wanted(asio::any_io_executor executor, Change what)
        : change(std::move(what)), over(executor, MonoTime::max()) {}
    Change change;
    std::string part;  // that is restarted
    Result<void> result = fail(Errc::unavailable, "the program stops");
    asio::steady_timer over;  // never expires; cancelled when it is carried out
  };

  asio::any_io_executor executor_;
  std::deque<std::shared_ptr<Wanted>> wanted_;
  asio::steady_timer bell_;  // never expires; cancelled when there is more to do
  bool stopped_ = false;
};

}  // namespace lightship::app
