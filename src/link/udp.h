// A UDP socket connected to one peer: one write is one datagram, one read is one datagram.
//
// A read into too small a span loses the end of the datagram. When the peer's host answers that
// nobody listens (ICMP), the next read or write is Errc::unavailable and the line may be used on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "link/fd_line.h"

namespace lightship::link {

class UdpLine final : public FdLine {
 public:
  UdpLine(asio::any_io_executor executor, Clock& clock, int fd, std::string name);
};

// `timeout` limits the name look-up; nothing is sent.
Task<Result<std::unique_ptr<UdpLine>>> dial_udp(Clock& clock, std::string host, std::uint16_t port,
                                                std::chrono::nanoseconds timeout);

}  // namespace lightship::link
