// Runs one Task on a real loop and waits for it, for tests that have a real descriptor at the other
// end.
#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "base/task.h"

namespace lightship::link {

// The task's value; its exception is thrown. A task that hangs is a failed test, not a hanging one.
template <class T>
T on_loop(asio::io_context& loop, Task<T> task,
          std::chrono::seconds limit = std::chrono::seconds(20)) {
  std::optional<T> value;
  std::exception_ptr failure;
  bool ended = false;
  asio::co_spawn(loop, std::move(task), [&](std::exception_ptr why, T result) {
    ended = true;
    failure = why;
    if (!why) value = std::move(result);
  });
  loop.restart();
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!ended && std::chrono::steady_clock::now() < until && loop.run_one_until(until) > 0) {
  }
  if (!ended) throw std::runtime_error("the task did not end in time");
  if (failure) std::rethrow_exception(failure);
  return std::move(*value);
}

}  // namespace lightship::link
