// How the portal pings: what sends and hears echoes is the program's (it knows the codec).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/ip/address.hpp>

#include "base/clock.h"
#include "base/result.h"

namespace lightship::portal {

// Echoes to one address.
class Pinging {
 public:
  virtual ~Pinging() = default;
  struct Echo {
    std::optional<std::chrono::nanoseconds> took;  // nothing: no answer
    std::string why;                               // that there was none, where somebody said so
    int ttl = -1;
  };
  // Sends one and waits for its answer, at most until then. Errc::unavailable: it cannot be sent.
  virtual Task<Result<Echo>> ask(std::uint16_t sequence, MonoTime until) = 0;
};

// Errc::unavailable: this system allows no echoes; the text says what to set.
using OpenPing = std::function<Result<std::unique_ptr<Pinging>>(asio::any_io_executor,
                                                                const asio::ip::address&)>;

}  // namespace lightship::portal
