// A write and where its answer goes: whoever asked may outlive the line, or go before it answers.
#pragma once

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "sources/modbus/writer.h"

namespace lightship::poller {

template <class T>
struct Writer::Pending {
  explicit Pending(const asio::any_io_executor& on) : done(on, MonoTime::max()) {}
  asio::steady_timer done;  // never expires; cancelled when it is over
  std::optional<Result<T>> value;

  void settle(Result<T> what) {
    value = std::move(what);
    done.cancel();
  }
};

}  // namespace lightship::poller
