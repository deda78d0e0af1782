// A socket for ICMP echo: an unprivileged datagram socket where the system allows one, else a raw
// one, else an error that says what to set.
//
// The datagram socket (Linux, "ping socket") is allowed to the groups of net.ipv4.ping_group_range,
// for IPv6 too. The kernel chooses the identifier of its echoes, shows it only its own replies, and
// gives errors apart, in a queue. A raw socket needs CAP_NET_RAW and hears the echoes of all
// programs; errors come among them. What the bytes mean is the codec's affair (codec/icmp).
#pragma once

#include <memory>
#include <optional>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace lightship::link {

class IcmpSocket {
 public:
  enum class Method { datagram, raw };

  // Errc::unavailable: neither is allowed, or there is no such protocol here.
  static Result<std::unique_ptr<IcmpSocket>> open(asio::any_io_executor executor, bool v6);
  ~IcmpSocket();
  IcmpSocket(const IcmpSocket&) = delete;
  IcmpSocket& operator=(const IcmpSocket&) = delete;

  Method method() const { return method_; }

  // Never waits. Errc::unavailable: the system knows no way to there, or takes nothing now.
  Result<void> send(const asio::ip::address& to, Bytes message);

  struct Received {
    std::size_t size = 0;  // in `into`: an ICMP message; of a raw IPv4 socket the whole IP packet
    asio::ip::address from;
    int ttl = -1;  // or hop limit; -1: not known
    // An error that the kernel tells of a datagram socket; the bytes are then of our request.
    struct Problem {
      std::uint8_t type = 0, code = 0;  // of the ICMP message
    };
    std::optional<Problem> error;
  };
  // Errc::timeout at `until`, closed where the socket is gone.
  Task<Result<Received>> receive(std::span<std::uint8_t> into, MonoTime until);

 private:
  IcmpSocket(asio::any_io_executor executor, int fd, Method method, bool v6);
  std::optional<Received> try_receive(std::span<std::uint8_t> into, int flags);

  struct Alarm;

  asio::posix::stream_descriptor fd_;
  std::shared_ptr<Alarm> alarm_;
  Method method_;
  bool v6_;
};

}  // namespace lightship::link
