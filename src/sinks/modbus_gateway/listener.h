// The listening socket of the gateway.
#pragma once

#include <cstdint>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "base/result.h"
#include "link/sockets.h"

namespace lightship::gateway {

// A non-blocking listening socket; `::` serves IPv4 too. Port 0: any free one. The error says who
// has the port, or what is missing.
Result<int> listen_on(const boost::asio::ip::address& address, std::uint16_t port);

std::uint16_t port_of(int fd);

// Lets the process open so many descriptors, as far as the hard limit allows; returns what it may
// now.
std::size_t allow_descriptors(std::size_t wanted);

}  // namespace lightship::gateway
