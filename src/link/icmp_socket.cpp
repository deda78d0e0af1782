// socket(2), recvmsg(2) with its error queue (ip(7), IP_RECVERR), and Asio to wait.
#include "link/icmp_socket.h"

#include <cerrno>

#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "link/sockets.h"

namespace lightship::link {
namespace {

void set(int fd, int level, int name, int value) {
  // Without it an answer says less; it is an answer all the same.
  (void)::setsockopt(fd, level, name, &value, sizeof value);
}

// Only what an asker wants to hear: replies, and what routers say of requests.
void filter_raw(int fd, bool v6) {
  if (v6) {
    icmp6_filter pass{};
    ICMP6_FILTER_SETBLOCKALL(&pass);
    for (const int type : {ICMP6_ECHO_REPLY, ICMP6_DST_UNREACH, ICMP6_PACKET_TOO_BIG,
                           ICMP6_TIME_EXCEEDED, ICMP6_PARAM_PROB})
      ICMP6_FILTER_SETPASS(type, &pass);
    (void)::setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &pass, sizeof pass);
    return;
  }
  icmp_filter stop{};
  stop.data = ~(1U << ICMP_ECHOREPLY | 1U << ICMP_DEST_UNREACH | 1U << ICMP_TIME_EXCEEDED |
                1U << ICMP_PARAMETERPROB | 1U << ICMP_REDIRECT | 1U << ICMP_SOURCE_QUENCH);
  (void)::setsockopt(fd, SOL_RAW, ICMP_FILTER, &stop, sizeof stop);
}

sockaddr_storage to_socket(const asio::ip::address& address) {
  sockaddr_storage to{};
  const auto endpoint = socket_address(address, 0);
  std::memcpy(&to, endpoint.data(), endpoint.size());
  return to;
}

asio::ip::address to_address(const sockaddr_storage& from) {
  if (from.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &from, sizeof v4);
    return asio::ip::address_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (from.ss_family != AF_INET6) return {};
  sockaddr_in6 v6{};
  std::memcpy(&v6, &from, sizeof v6);
  asio::ip::address_v6::bytes_type bytes;
  std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  return asio::ip::address_v6(bytes, v6.sin6_scope_id);
}

// An error about an earlier packet: it is read from the queue, this call had no other fault.
bool is_about_a_packet(int number) {
  return number == ECONNREFUSED || number == EHOSTUNREACH || number == ENETUNREACH ||
         number == EHOSTDOWN || number == EPROTO || number == ENOPROTOOPT || number == EMSGSIZE ||
         number == EACCES;
}

}  // namespace

// The limit of one wait. Its handler may still be queued when the wait, or the socket, is over.
struct IcmpSocket::Alarm {
  explicit Alarm(asio::any_io_executor executor) : timer(std::move(executor)) {}
  static void set(const std::shared_ptr<Alarm>& alarm, asio::posix::stream_descriptor& fd,
                  MonoTime until) {
    alarm->fd = &fd;
    alarm->rang = false;
    alarm->timer.expires_at(until);
    alarm->timer.async_wait([alarm, mine = ++alarm->round](boost::system::error_code stopped) {
      if (stopped || mine != alarm->round || alarm->fd == nullptr) return;
      alarm->rang = true;
      alarm->fd->cancel();
    });
  }
  void clear() {
    ++round;
    fd = nullptr;
    timer.cancel();
  }
  asio::steady_timer timer;
  asio::posix::stream_descriptor* fd = nullptr;
  std::uint64_t round = 0;
  bool rang = false;
};

Result<std::unique_ptr<IcmpSocket>> IcmpSocket::open(asio::any_io_executor executor, bool v6) {
  const int family = v6 ? AF_INET6 : AF_INET;
  const int protocol = v6 ? int{IPPROTO_ICMPV6} : int{IPPROTO_ICMP};
  constexpr int kFlags = SOCK_CLOEXEC | SOCK_NONBLOCK;
  auto method = Method::datagram;
  int fd = ::socket(family, SOCK_DGRAM | kFlags, protocol);
  if (fd < 0) {
    const int first = errno;
    method = Method::raw;
    fd = ::socket(family, SOCK_RAW | kFlags, protocol);
    if (fd < 0 && (first == EACCES || errno == EPERM || errno == EACCES)) {
      return fail(Errc::unavailable,
                  "this system lets the gateway send no ICMP echo. Allow its group: sysctl -w "
                  "net.ipv4.ping_group_range=\"0 2147483647\"; or give the program CAP_NET_RAW "
                  "(systemd: AmbientCapabilities=CAP_NET_RAW)");
    }
    if (fd < 0)
      return fail(Errc::unavailable, "no socket for ICMP{}: {}", v6 ? "v6" : "", in_words(errno));
    filter_raw(fd, v6);
  }
  if (v6) {
    set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    if (method == Method::datagram) set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
  } else if (method == Method::datagram) {
    set(fd, IPPROTO_IP, IP_RECVTTL, 1);
    set(fd, IPPROTO_IP, IP_RECVERR, 1);
  }
  return std::unique_ptr<IcmpSocket>(new IcmpSocket(std::move(executor), fd, method, v6));
}

IcmpSocket::IcmpSocket(asio::any_io_executor executor, int fd, Method method, bool v6)
    : fd_(executor, fd), alarm_(std::make_shared<Alarm>(executor)), method_(method), v6_(v6) {}

IcmpSocket::~IcmpSocket() { alarm_->clear(); }

Result<void> IcmpSocket::send(const asio::ip::address& to, Bytes message) {
  const auto there = to_socket(to);
  const auto size = static_cast<socklen_t>(v6_ ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
  for (int attempt = 0;; ++attempt) {
    const auto sent = ::sendto(fd_.native_handle(), message.data(), message.size(), MSG_NOSIGNAL,
                               reinterpret_cast<const sockaddr*>(&there), size);
    if (sent >= 0) return {};
    // The first failure may be news of an earlier packet.
    if (attempt == 0 && (errno == EINTR || is_about_a_packet(errno))) continue;
    return fail(Error{Errc::unavailable, fmt::format("cannot send: {}", in_words(errno)), errno});
  }
}

std::optional<IcmpSocket::Received> IcmpSocket::try_receive(std::span<std::uint8_t> into,
                                                            int flags) {
  sockaddr_storage from{};
  iovec bytes{into.data(), into.size()};
  alignas(cmsghdr) std::array<char, 512> control{};
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof from;
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const auto size = ::recvmsg(fd_.native_handle(), &message, flags | MSG_DONTWAIT);
  if (size < 0) return std::nullopt;

  Received received;
  received.size = static_cast<std::size_t>(size);
  received.from = to_address(from);
  for (auto* at = CMSG_FIRSTHDR(&message); at != nullptr; at = CMSG_NXTHDR(&message, at)) {
    const bool ttl = (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_TTL) ||
                     (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_HOPLIMIT);
    if (ttl) std::memcpy(&received.ttl, CMSG_DATA(at), sizeof received.ttl);
    const bool error = (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_RECVERR) ||
                       (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_RECVERR);
    if (!error) continue;
    // The error, and behind it the address of who sent it.
    struct {
      sock_extended_err what;
      sockaddr_in6 who;
    } told{};
    std::memcpy(&told, CMSG_DATA(at), std::min(sizeof told, at->cmsg_len - CMSG_LEN(0)));
    const bool of_icmp =
        told.what.ee_origin == SO_EE_ORIGIN_ICMP || told.what.ee_origin == SO_EE_ORIGIN_ICMP6;
    // What this system itself refuses has no type: it is said as "host unreachable".
    constexpr std::uint8_t kUnreachable4 = 3, kUnreachable6 = 1, kHost4 = 1, kAddress6 = 3;
    received.error =
        Received::Problem{of_icmp ? told.what.ee_type : (v6_ ? kUnreachable6 : kUnreachable4),
                          of_icmp ? told.what.ee_code : (v6_ ? kAddress6 : kHost4)};
    sockaddr_storage offender{};
    std::memcpy(&offender, &told.who, sizeof told.who);
    if (offender.ss_family != AF_UNSPEC) received.from = to_address(offender);
  }
  return received;
}

Task<Result<IcmpSocket::Received>> IcmpSocket::receive(std::span<std::uint8_t> into,
                                                       MonoTime until) {
  for (;;) {
    if (method_ == Method::datagram) {
      if (auto error = try_receive(into, MSG_ERRQUEUE)) co_return *error;
    }
    if (auto got = try_receive(into, 0)) co_return *got;
    if (is_about_a_packet(errno) || errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
      co_return fail(Errc::closed, "the ICMP socket failed: {}", in_words(errno));

    if (steady_now() >= until) co_return fail(Errc::timeout, "no answer in time");
    Alarm::set(alarm_, fd_, until);
    boost::system::error_code woken;
    co_await fd_.async_wait(asio::posix::descriptor_base::wait_read,
                            asio::redirect_error(asio::use_awaitable, woken));
    const bool late = alarm_->rang;
    alarm_->clear();
    if (woken && !late) throw boost::system::system_error(woken);
  }
}

}  // namespace lightship::link
