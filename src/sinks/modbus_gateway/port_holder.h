// Who listens on a TCP port of this host, as far as /proc lets us see.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace lightship::gateway {

// "mosquitto, pid 12"; nothing when it cannot be found (another user's process, another network
// namespace). Reads /proc, so it is for error texts only.
std::optional<std::string> holder_of_port(std::uint16_t port);

}  // namespace lightship::gateway
