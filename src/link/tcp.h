// A TCP connection: TCP_NODELAY, and keep-alive so that a dead peer is noticed within about a
// minute.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/ip/address.hpp>

#include "link/fd_line.h"

namespace lightship::link {

class TcpLine final : public FdLine {
 public:
  // Takes a connected, non-blocking socket: from `dial_tcp`, or accepted.
  TcpLine(asio::any_io_executor executor, Clock& clock, int fd, std::string name);
};

// Looks the name up anew each time and tries every address it has, each with its share of what is
// left of the limit. The error names the addresses and what each said: unavailable, or timeout when
// the limit was all that happened. Literals, "[::1]" and names are understood.
Task<Result<std::unique_ptr<TcpLine>>> dial_tcp(Clock& clock, std::string host, std::uint16_t port,
                                                std::chrono::nanoseconds timeout);

}  // namespace lightship::link
