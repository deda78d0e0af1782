// Connecting: every address of the name, each with its share of the time.
#include "link/tcp.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/clock.h"
#include "base/text.h"
#include "link/resolve.h"
#include "link/sockets.h"

namespace lightship::link {
namespace {

// 30 s of silence, then three questions 10 s apart: a peer that lost its power is gone after a
// minute.
constexpr int kKeepAliveIdleS = 30;
constexpr int kKeepAliveEveryS = 10;
constexpr int kKeepAliveProbes = 3;

void set(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

Task<Result<int>> connect(asio::ip::address address, std::uint16_t port, MonoTime until) {
  Socket socket(::socket(address.is_v6() ? AF_INET6 : AF_INET,
                         SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.fd() < 0) co_return fail(Error{Errc::unavailable, std::strerror(errno), errno});
  const auto peer = socket_address(address, port);
  if (::connect(socket.fd(), peer.data(), peer.size()) != 0 && errno != EINPROGRESS)
    co_return fail(Error{Errc::unavailable, in_words(errno), errno});

  asio::posix::stream_descriptor waiting(co_await asio::this_coro::executor, ::dup(socket.fd()));
  asio::steady_timer alarm(waiting.get_executor(), until);
  auto rang = std::make_shared<bool>(false);
  alarm.async_wait([rang, &waiting](boost::system::error_code stopped) {
    // When it is stopped `waiting` may be gone; when it is not, this coroutine is still below.
    if (stopped || std::exchange(*rang, true)) return;
    waiting.cancel();
  });
  boost::system::error_code ended;
  co_await waiting.async_wait(asio::posix::descriptor_base::wait_write,
                              asio::redirect_error(asio::use_awaitable, ended));
  const bool too_late = std::exchange(*rang, true);
  if (ended && !too_late) throw boost::system::system_error(ended);
  if (ended) co_return fail(Errc::timeout, "no answer");

  int why = 0;
  socklen_t size = sizeof why;
  ::getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &why, &size);
  if (why != 0)
    co_return fail(Error{why == ETIMEDOUT ? Errc::timeout : Errc::unavailable, in_words(why), why});
  co_return socket.release();
}

}  // namespace

TcpLine::TcpLine(asio::any_io_executor executor, Clock& clock, int fd, std::string name)
    : FdLine(std::move(executor), clock, fd, Kind::stream_socket, std::move(name)) {
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(fd, IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveIdleS);
  set(fd, IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveEveryS);
  set(fd, IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveProbes);
}

Task<Result<std::unique_ptr<TcpLine>>> dial_tcp(Clock& clock, std::string host, std::uint16_t port,
                                                std::chrono::nanoseconds timeout) {
  const auto place = fmt::format("tcp {}", host_with_port(host, port));
  const MonoTime until = steady_now() + timeout;
  auto addresses = co_await resolve(host, until);
  if (!addresses) co_return within(place, std::move(addresses.error()));

  std::vector<std::string> tried;
  Error last;
  for (std::size_t at = 0; at < addresses->size(); ++at) {
    const auto& address = (*addresses)[at];
    const MonoTime now = steady_now();
    const auto share = (until - now) / static_cast<int>(addresses->size() - at);
    auto fd = co_await connect(address, port, now + share);
    if (fd)
      co_return std::make_unique<TcpLine>(co_await asio::this_coro::executor, clock, *fd,
                                          "tcp " + with_port(address, port));
    tried.push_back(fmt::format("{}: {}", with_port(address, port), fd.error().text));
    // A refusal says more than a silence.
    if (at == 0 || fd.error().code != Errc::timeout) last = std::move(fd.error());
  }
  if (tried.size() == 1 && place == "tcp " + with_port(addresses->front(), port))
    co_return within(place, std::move(last));
  last.text = join(tried, "; ");
  co_return within(place, std::move(last));
}

}  // namespace lightship::link
