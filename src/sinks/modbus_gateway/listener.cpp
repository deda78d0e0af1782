// socket, bind, listen, and what to say when they fail.
#include "sinks/modbus_gateway/listener.h"

#include <algorithm>
#include <cerrno>

#include <sys/resource.h>
#include <sys/socket.h>

#include "link/resolve.h"
#include "sinks/modbus_gateway/port_holder.h"

namespace lightship::gateway {
namespace {

// Clients that come while the loop is at something else; the kernel cuts it to somaxconn.
constexpr int kBacklog = 1024;
// The kernel would let a client that takes nothing gather 4 MB; eight full sends are enough for a
// good one.
constexpr int kSendBuffer = 64 * 1024;

std::unexpected<Error> why_not(int error_number, const boost::asio::ip::address& address,
                               std::uint16_t port) {
  const std::string place = link::with_port(address, port);
  switch (error_number) {
    case EADDRINUSE: {
      const auto holder = holder_of_port(port);
      return fail(Errc::unavailable, "another program listens on {}{}", place,
                  holder ? " (" + *holder + ")" : "");
    }
    case EACCES:
      return fail(Errc::unavailable,
                  "may not listen on {}: ports below 1024 need the capability CAP_NET_BIND_SERVICE",
                  place);
    case EADDRNOTAVAIL:
      return fail(Errc::unavailable, "cannot listen on {}: this host has no such address", place);
    default:
      return fail(Errc::unavailable, "cannot listen on {}: {}", place,
                  link::in_words(error_number));
  }
}

void set(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

}  // namespace

Result<int> listen_on(const boost::asio::ip::address& address, std::uint16_t port) {
  const boost::asio::ip::tcp::endpoint endpoint(address, port);
  link::Socket socket(
      ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.fd() < 0) return why_not(errno, address, port);
  set(socket.fd(), SOL_SOCKET, SO_REUSEADDR, 1);  // connections of the last run may still linger
  set(socket.fd(), SOL_SOCKET, SO_SNDBUF, kSendBuffer);  // inherited by every client's socket
  if (address.is_v6() && address.is_unspecified()) set(socket.fd(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (::bind(socket.fd(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0 ||
      ::listen(socket.fd(), kBacklog) != 0) {
    return why_not(errno, address, port);
  }
  return socket.release();
}

std::uint16_t port_of(int fd) {
  boost::asio::ip::tcp::endpoint endpoint;
  socklen_t size = static_cast<socklen_t>(endpoint.capacity());
  if (::getsockname(fd, endpoint.data(), &size) != 0) return 0;
  endpoint.resize(size);
  return endpoint.port();
}

std::size_t allow_descriptors(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur >= wanted) return limit.rlim_cur;
  const rlimit more{std::min<rlim_t>(wanted, limit.rlim_max), limit.rlim_max};
  return ::setrlimit(RLIMIT_NOFILE, &more) == 0 ? more.rlim_cur : limit.rlim_cur;
}

}  // namespace lightship::gateway
