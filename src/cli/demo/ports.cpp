// Tries to bind, and lets go again.
#include "cli/demo/ports.h"

#include <cerrno>
#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>

#include "link/sockets.h"
#include "sinks/modbus_gateway/port_holder.h"

namespace lightship::cli {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  return {.sin_family = AF_INET,
          .sin_port = htons(port),
          .sin_addr = {htonl(INADDR_LOOPBACK)},
          .sin_zero = {}};
}

// The port, which is another when 0 was asked for; nothing when it is taken, with errno.
std::optional<std::uint16_t> bind_once(std::uint16_t port) {
  const link::Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address = loopback(port);
  socklen_t size = sizeof address;
  if (::bind(socket.fd(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(socket.fd(), 1) != 0)
    return std::nullopt;
  ::getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

}  // namespace

Result<std::uint16_t> choose_port(std::optional<std::uint16_t> named, std::uint16_t usual) {
  if (const auto port = bind_once(named.value_or(usual))) return *port;
  const int why = errno;
  if (named.value_or(0) > 0) {
    if (why != EADDRINUSE)
      return fail(Errc::unavailable, "port {}: {}", *named, link::in_words(why));
    const auto holder = gateway::holder_of_port(*named);
    return fail(Errc::unavailable, "port {} is taken by {}; name another, or 0 for any free one",
                *named, holder.value_or("another program"));
  }
  if (const auto port = bind_once(0)) return *port;
  return fail(Errc::unavailable, "no free port on 127.0.0.1: {}", link::in_words(errno));
}

bool somebody_listens(std::uint16_t port) {
  const link::Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  return ::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace lightship::cli
