// Sends an echo, and tells its answer from everybody else's.
#include "app/pinger.h"

#include <random>

#include "codec/icmp/echo.h"
#include "link/icmp_socket.h"

namespace lightship::app {
namespace {

class IcmpPinging final : public portal::Pinging {
 public:
  IcmpPinging(Clock& clock, std::unique_ptr<link::IcmpSocket> socket, asio::ip::address to)
      : clock_(clock),
        socket_(std::move(socket)),
        to_(std::move(to)),
        version_(to_.is_v6() ? icmp::Version::v6 : icmp::Version::v4) {
    std::random_device random;
    identifier_ = static_cast<std::uint16_t>(random());
    token_ = static_cast<std::uint64_t>(random()) << 32 | random();
  }

  Task<Result<Echo>> ask(std::uint16_t sequence, MonoTime until) override {
    const auto request = icmp::encode_request(version_, {identifier_, sequence, token_});
    const auto sent = clock_.mono();
    if (const auto done = socket_->send(to_, request); !done) co_return fail(done.error());
    for (;;) {
      auto got = co_await socket_->receive(buffer_, until);
      if (!got && got.error().code == Errc::timeout) co_return Echo{};
      if (!got) co_return fail(got.error());
      const auto took = clock_.mono() - sent;
      const auto heard = decode(*got);
      if (!heard || !is_about(*heard, sequence)) continue;
      if (heard->kind == icmp::Kind::reply) co_return Echo{took, {}, got->ttl};
      if (heard->kind == icmp::Kind::redirect || heard->kind == icmp::Kind::other) continue;
      co_return Echo{{},
                     fmt::format("{} says: {}", got->from.to_string(),
                                 icmp::reason(version_, heard->type, heard->code)),
                     -1};
    }
  }

 private:
  std::optional<icmp::Heard> decode(link::IcmpSocket::Received& got) const {
    Bytes bytes(buffer_.data(), std::min(got.size, buffer_.size()));
    if (got.error) {
      // What the kernel gives beside its error is our request as it went out.
      Reader read(bytes);
      read.u32();
      icmp::Heard heard{icmp::kind_of(version_, got.error->type, got.error->code),
                        got.error->type,
                        got.error->code,
                        {},
                        false};
      heard.echo.identifier = read.u16();
      heard.echo.sequence = read.u16();
      if (read.left() >= 8) {
        const std::uint64_t high = read.u32();
        heard.echo.token = high << 32 | read.u32();
        heard.has_token = true;
      }
      return read.ok() ? std::optional(heard) : std::nullopt;
    }
    if (version_ == icmp::Version::v4 && socket_->method() == link::IcmpSocket::Method::raw) {
      const auto packet = icmp::unwrap_v4(bytes);
      if (!packet) return std::nullopt;
      got.ttl = packet->ttl;
      bytes = packet->message;
    }
    auto heard = icmp::decode(version_, bytes);
    return heard ? *heard : std::nullopt;
  }

  bool is_about(const icmp::Heard& heard, std::uint16_t sequence) const {
    if (heard.echo.sequence != sequence) return false;
    if (heard.has_token) return heard.echo.token == token_;
    // The kernel chose the identifier of a datagram socket, and shows it nothing else.
    return socket_->method() == link::IcmpSocket::Method::datagram ||
           heard.echo.identifier == identifier_;
  }

  Clock& clock_;
  std::unique_ptr<link::IcmpSocket> socket_;
  asio::ip::address to_;
  icmp::Version version_;
  std::uint16_t identifier_ = 0;
  std::uint64_t token_ = 0;
  std::array<std::uint8_t, 2048> buffer_{};
};

}  // namespace

portal::OpenPing make_pinger(Clock& clock) {
  return [&clock](asio::any_io_executor executor,
                  const asio::ip::address& to) -> Result<std::unique_ptr<portal::Pinging>> {
    auto socket = link::IcmpSocket::open(std::move(executor), to.is_v6());
    if (!socket) return fail(socket.error());
    return std::make_unique<IcmpPinging>(clock, std::move(*socket), to);
  };
}

}  // namespace lightship::app
