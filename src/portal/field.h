// The portal's way to the field loop: a question is posted there and waited for, with a limit.
//
// A field loop that hangs costs the asker its patience and nothing else; a question whose asker is
// gone is not asked. Portal loop only.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/clock.h"
#include "core/context.h"

namespace lightship::portal {

class Field {
 public:
  // The field loop answers in a millisecond; one that has not after this long hangs.
  static constexpr Duration kPatience = std::chrono::seconds(1);

  explicit Field(Context& context) : context_(context), executor_(context.executor) {}

  // Runs `question` on the field loop; nothing when it was not answered in time. It must hold what
  // it needs by value, and be quick: polls wait meanwhile.
  template <class T>
  Task<std::optional<T>> ask(std::function<T(Context&)> question, Duration patience = kPatience) {
    const auto home = co_await asio::this_coro::executor;
    const auto waiting = std::make_shared<Waiting<T>>(home, patience);
    asio::post(executor_, [asker = std::weak_ptr(waiting), home, question = std::move(question),
                           &context = context_] {
      if (asker.expired()) return;
      auto answer = guarded(question, context);
      asio::post(home,
                 [asker, answer = std::move(answer)]() mutable { tell(asker, std::move(answer)); });
    });
    co_return co_await answered(waiting);
  }

  // The same for what takes time there (a write to a device). It is not cancelled when nobody
  // waits any more.
  template <class T>
  Task<std::optional<T>> run(std::function<Task<T>(Context&)> errand, Duration patience) {
    const auto home = co_await asio::this_coro::executor;
    const auto waiting = std::make_shared<Waiting<T>>(home, patience);
    asio::co_spawn(executor_, carry_out<T>(context_, std::move(errand), waiting, home),
                   [](std::exception_ptr) {});
    co_return co_await answered(waiting);
  }

 private:
  template <class T>
  struct Waiting {
    Waiting(const asio::any_io_executor& on, Duration patience) : over(on, patience) {}
    asio::steady_timer over;
    std::optional<T> answer;
  };
  // A question that throws is a defect of the portal's and must not end the polling.
  template <class T>
  static std::optional<T> guarded(const std::function<T(Context&)>& question, Context& context) {
    try {
      return question(context);
    } catch (const std::exception& defect) {
      Log(context.logbook, "portal")
          .error("a defect answered a question", lightship::field("what", defect.what()));
      return std::nullopt;
    }
  }
  template <class T>
  static void tell(const std::weak_ptr<Waiting<T>>& asker, std::optional<T> answer) {
    const auto still = asker.lock();
    if (!still) return;
    still->answer = std::move(answer);
    still->over.cancel();
  }
  template <class T>
  static Task<std::optional<T>> answered(std::shared_ptr<Waiting<T>> waiting) {
    boost::system::error_code woken;
    if (!waiting->answer)
      co_await waiting->over.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    co_return std::move(waiting->answer);
  }
  template <class T>
  static Task<void> carry_out(Context& context, std::function<Task<T>(Context&)> errand,
                              std::weak_ptr<Waiting<T>> asker, asio::any_io_executor home) {
    auto answer = co_await errand(context);
    asio::post(home, [asker, answer = std::optional<T>(std::move(answer))]() mutable {
      tell(asker, std::move(answer));
    });
  }

  Context& context_;
  asio::any_io_executor executor_;
};

}  // namespace lightship::portal
