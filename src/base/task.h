// Task<T>: a coroutine on a loop; TaskGroup: the owner of those that run side by side.
//
// Nothing is detached: a group cancels what it owns and `join` returns when all of it has ended.
// Loop thread only.
#pragma once

#include <exception>
#include <functional>
#include <list>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

namespace lightship {

namespace asio = boost::asio;

template <class T>
using Task = asio::awaitable<T>;

class TaskGroup {
 public:
  explicit TaskGroup(asio::any_io_executor executor);
  ~TaskGroup();  // every task must have ended: `co_await join()` first
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts the task. What it throws, other than cancellation, is kept and thrown by `join`.
  void spawn(Task<void> task);
  void cancel();  // asks every task to stop, now and those spawned later
  // Returns when none runs; not itself stopped by cancellation. Whoever was cancelled before must
  // first `co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation())`.
  Task<void> join();
  // Runs until all have ended, one has failed or the caller is cancelled; then ends all of them.
  Task<void> run();
  std::size_t running() const { return running_.size(); }

 private:
  struct Running {
    asio::cancellation_signal stop;
  };
  void ended(std::list<Running>::iterator which, std::exception_ptr why);

  asio::any_io_executor executor_;
  std::list<Running> running_;
  asio::steady_timer idle_;  // never expires; cancelled when the last task ends
  std::exception_ptr failure_;
  bool cancelled_ = false;
};

// True when the exception is Asio's "operation aborted", that is: we were told to stop.
bool is_cancellation(const std::exception_ptr& why);

}  // namespace lightship
