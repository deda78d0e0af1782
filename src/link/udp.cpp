// A connected UDP socket: the kernel then drops what others send and reports ICMP errors to us.
#include "link/udp.h"

#include <cerrno>

#include <sys/socket.h>
#include <boost/asio/this_coro.hpp>

#include "base/clock.h"
#include "base/text.h"
#include "link/resolve.h"
#include "link/sockets.h"

namespace lightship::link {

UdpLine::UdpLine(asio::any_io_executor executor, Clock& clock, int fd, std::string name)
    : FdLine(std::move(executor), clock, fd, Kind::datagram_socket, std::move(name)) {}

Task<Result<std::unique_ptr<UdpLine>>> dial_udp(Clock& clock, std::string host, std::uint16_t port,
                                                std::chrono::nanoseconds timeout) {
  const auto place = fmt::format("udp {}", host_with_port(host, port));
  auto addresses = co_await resolve(host, steady_now() + timeout);
  if (!addresses) co_return within(place, std::move(addresses.error()));

  std::vector<std::string> tried;
  for (const auto& address : *addresses) {
    Socket socket(::socket(address.is_v6() ? AF_INET6 : AF_INET,
                           SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto peer = socket_address(address, port);
    if (socket.fd() >= 0 &&
        ::connect(socket.fd(), peer.data(), static_cast<socklen_t>(peer.size())) == 0)
      co_return std::make_unique<UdpLine>(co_await asio::this_coro::executor, clock,
                                          socket.release(), "udp " + with_port(address, port));
    tried.push_back(fmt::format("{}: {}", with_port(address, port), in_words(errno)));
  }
  co_return fail(Errc::unavailable, "{}: {}", place, join(tried, "; "));
}

}  // namespace lightship::link
