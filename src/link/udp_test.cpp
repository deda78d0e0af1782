// UDP against a socket of our own on the loopback.
#include "link/udp.h"

#include <gtest/gtest.h>
#include <boost/asio/ip/udp.hpp>

#include "base/hex.h"
#include "link/testing/on_loop.h"

namespace lightship::link {
namespace {

using namespace std::chrono_literals;
using asio::ip::udp;

struct Host {
  asio::io_context loop;
  SystemClock clock;
  udp::socket socket{loop, {asio::ip::make_address("127.0.0.1"), 0}};

  std::unique_ptr<UdpLine> dial(std::uint16_t port) {
    return on_loop(loop, dial_udp(clock, "127.0.0.1", port, 1s)).value();
  }
  std::uint16_t port() const { return socket.local_endpoint().port(); }
  Result<std::size_t> read(ByteLine& line, std::span<std::uint8_t> into,
                           std::chrono::milliseconds limit) {
    return on_loop(loop, line.read_some(into, clock.mono() + limit));
  }
};

TEST(Udp, KeepsDatagramsApart) {
  Host host;
  auto line = host.dial(host.port());
  EXPECT_TRUE(line->message_boundaries());
  EXPECT_EQ(line->name(), fmt::format("udp 127.0.0.1:{}", host.port()));

  ASSERT_TRUE(on_loop(host.loop, line->write(hex("01 02 03"))));
  std::array<std::uint8_t, 16> there{};
  udp::endpoint from;
  ASSERT_EQ(host.socket.receive_from(asio::buffer(there), from), 3u);

  host.socket.send_to(asio::buffer(hex("0A")), from);
  host.socket.send_to(asio::buffer(ByteVector{}), from);  // an empty one says nothing
  host.socket.send_to(asio::buffer(hex("0B 0C")), from);
  std::array<std::uint8_t, 16> here{};
  EXPECT_EQ(host.read(*line, here, 1000ms), 1u);
  EXPECT_EQ(host.read(*line, here, 1000ms), 2u);
  EXPECT_EQ(host.read(*line, here, 20ms).error().code, Errc::timeout);
}

TEST(Udp, TellsThatNobodyListensAndGoesOn) {
  Host host;
  const auto port = host.port();
  host.socket.close();
  auto line = host.dial(port);
  ASSERT_TRUE(on_loop(host.loop, line->write(hex("01"))));
  std::array<std::uint8_t, 16> here{};
  auto end = host.read(*line, here, 1000ms);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, Errc::unavailable);
  EXPECT_EQ(end.error().text, "nobody listens there (ICMP port unreachable)");

  host.socket = udp::socket(host.loop, {asio::ip::make_address("127.0.0.1"), port});
  ASSERT_TRUE(on_loop(host.loop, line->write(hex("02"))));
  EXPECT_EQ(host.socket.receive(asio::buffer(here)), 1u);
}

TEST(Udp, DropsWhatCameBefore) {
  Host host;
  auto line = host.dial(host.port());
  ASSERT_TRUE(on_loop(host.loop, line->write(hex("01"))));
  std::array<std::uint8_t, 16> there{};
  udp::endpoint from;
  host.socket.receive_from(asio::buffer(there), from);
  host.socket.send_to(asio::buffer(hex("0A 0B")), from);
  host.socket.send_to(asio::buffer(hex("0C")), from);
  EXPECT_EQ(line->discard(), 3u);
}

}  // namespace
}  // namespace lightship::link
