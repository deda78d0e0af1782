// Runs a handler to its end in a test, on a loop of its own.
#pragma once

#include <exception>
#include <optional>

#include "base/task.h"

namespace lightship::portal {

// What the task returned. Throws what it threw, and where it waits for something that never comes.
template <class T>
T answered(Task<T> task) {
  asio::io_context loop(1);
  std::optional<T> answer;
  std::exception_ptr failure;
  asio::co_spawn(loop, std::move(task), [&](std::exception_ptr why, T value) {
    failure = why;
    if (!why) answer = std::move(value);
  });
  loop.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(answer.value());
}

}  // namespace lightship::portal
