// One thread for what blocks (files, databases, libcurl); the result comes home to the loop that
// asked.
#pragma once

#include <exception>
#include <optional>
#include <thread>
#include <type_traits>

#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/task.h"

namespace lightship {

class Worker {
 public:
  Worker() : work_(asio::make_work_guard(loop_)), thread_([this] { loop_.run(); }) {}
  ~Worker() { stop(); }

  // Runs `job` on the worker, resumes the caller on its own executor with what it returned. Jobs
  // run one at a time, in the order asked. The caller must not be destroyed while it waits: cancel
  // does not interrupt a job, it is awaited. What the job throws is thrown to the caller.
  template <class F>
  Task<std::invoke_result_t<F>> run(F job) {
    using R = std::invoke_result_t<F>;
    auto home = co_await asio::this_coro::executor;
    auto result = co_await asio::async_initiate<decltype(asio::use_awaitable),
                                                void(std::exception_ptr, std::optional<R>)>(
        [this, home](auto handler, F work) {
          asio::post(loop_, [home, handler = std::move(handler), work = std::move(work)]() mutable {
            std::exception_ptr why;
            std::optional<R> done;
            try {
              done.emplace(work());
            } catch (...) {
              why = std::current_exception();
            }
            asio::post(home, [handler = std::move(handler), why, done = std::move(done)]() mutable {
              std::move(handler)(why, std::move(done));
            });
          });
        },
        asio::use_awaitable, std::move(job));
    co_return std::move(*result);
  }

  // Without an answer: the job itself posts home what there is to say.
  template <class F>
  void post(F job) {
    asio::post(loop_, std::move(job));
  }

  // Ends after the jobs already asked for.
  void stop() {
    work_.reset();
    if (thread_.joinable()) thread_.join();
  }

 private:
  asio::io_context loop_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
};

}  // namespace lightship
