// Names to addresses, with a limit that holds.
//
// getaddrinfo can hang for half a minute and cannot be stopped, and Asio's resolver waits for it on
// shutdown. Here each look-up has a thread of its own that is left behind when the limit is
// reached; it shares nothing with the loop but a finished answer. Literal addresses take no thread.
#pragma once

#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/clock.h"
#include "base/result.h"

namespace lightship::link {

// In the system's order of preference (RFC 6724), without repeats, never empty. "[::1]" and
// "fe80::1%eth0" are understood. Errors: unavailable (no such name), timeout.
Task<Result<std::vector<asio::ip::address>>> resolve(std::string host, MonoTime until);

// "192.0.2.1:502", "[2001:db8::1]:502".
std::string with_port(const asio::ip::address& address, std::uint16_t port);

}  // namespace lightship::link
