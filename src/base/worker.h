// One thread for what blocks (files, databases, libcurl); the result comes home to the loop that
// asked.
#pragma once

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
  // does not interrupt a job, it is awaited.
  template <class F>
  Task<std::invoke_result_t<F>> run(F job) {
    using R = std::invoke_result_t<F>;
    auto home = co_await asio::this_coro::executor;
    co_return co_await asio::async_initiate<decltype(asio::use_awaitable), void(R)>(
        [this, home](auto handler, F work) {
          asio::post(loop_, [home, handler = std::move(handler), work = std::move(work)]() mutable {
            auto result = work();
            asio::post(home, [handler = std::move(handler), result = std::move(result)]() mutable {
              std::move(handler)(std::move(result));
            });
          });
        },
        asio::use_awaitable, std::move(job));
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
