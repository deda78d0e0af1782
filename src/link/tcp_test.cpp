// TCP against a listener of our own on the loopback.
#include "link/tcp.h"

#include <gtest/gtest.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "base/hex.h"
#include "link/resolve.h"
#include "link/testing/on_loop.h"

namespace lightship::link {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;

struct Host {
  explicit Host(const char* address = "127.0.0.1")
      : acceptor(loop, {asio::ip::make_address(address), 0}) {}
  std::uint16_t port() const { return acceptor.local_endpoint().port(); }
  std::unique_ptr<TcpLine> dial(std::string host = "127.0.0.1") {
    auto line = on_loop(loop, dial_tcp(clock, host, port(), 2s));
    EXPECT_TRUE(line) << line.error().text;
    return line ? std::move(*line) : nullptr;
  }
  tcp::socket answer() { return acceptor.accept(); }
  MonoTime soon(std::chrono::milliseconds after) { return clock.mono() + after; }

  asio::io_context loop;
  SystemClock clock;
  tcp::acceptor acceptor;
};

Result<std::size_t> read(Host& host, ByteLine& line, std::span<std::uint8_t> into,
                         std::chrono::milliseconds limit) {
  return on_loop(host.loop, line.read_some(into, host.soon(limit)));
}

std::uint16_t a_port_nobody_listens_on() {
  asio::io_context loop;
  return tcp::acceptor(loop, {asio::ip::make_address("127.0.0.1"), 0}).local_endpoint().port();
}

TEST(Tcp, SaysWhoRefused) {
  Host host;
  const auto port = a_port_nobody_listens_on();
  auto line = on_loop(host.loop, dial_tcp(host.clock, "127.0.0.1", port, 2s));
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().code, Errc::unavailable);
  EXPECT_EQ(line.error().text, fmt::format("tcp 127.0.0.1:{}: connection refused", port));
  EXPECT_EQ(line.error().detail, ECONNREFUSED);
}

TEST(Tcp, NamesEveryAddressItTried) {
  Host host;
  const auto port = a_port_nobody_listens_on();
  auto line = on_loop(host.loop, dial_tcp(host.clock, "localhost", port, 2s));
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().code, Errc::unavailable);
  EXPECT_NE(line.error().text.find(fmt::format("tcp localhost:{}: ", port)), std::string::npos)
      << line.error().text;
  EXPECT_NE(line.error().text.find(fmt::format("127.0.0.1:{}: connection refused", port)),
            std::string::npos)
      << line.error().text;
}

TEST(Tcp, SaysThatANameHasNoAddress) {
  Host host;
  auto line = on_loop(host.loop, dial_tcp(host.clock, "no-such-host.invalid", 502, 10s));
  ASSERT_FALSE(line);
  EXPECT_NE(line.error().code, Errc::closed);
  EXPECT_TRUE(
      line.error().text.starts_with("tcp no-such-host.invalid:502: the name no-such-host.invalid"))
      << line.error().text;
}

TEST(Tcp, GivesUpAtItsLimitWhenTheOtherHostIsSilent) {
  Host host;
  // A listener whose queue is full answers no further SYN.
  asio::io_context loop;
  tcp::acceptor full(loop, tcp::v4());
  full.bind({asio::ip::make_address("127.0.0.1"), 0});
  full.listen(0);
  std::vector<std::unique_ptr<TcpLine>> waiting;
  Result<std::unique_ptr<TcpLine>> line = fail(Errc::invalid, "");
  const auto start = host.clock.mono();
  for (int i = 0; i < 4; ++i) {
    line =
        on_loop(host.loop, dial_tcp(host.clock, "127.0.0.1", full.local_endpoint().port(), 150ms));
    if (!line) break;
    waiting.push_back(std::move(*line));
  }
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().code, Errc::timeout);
  EXPECT_TRUE(line.error().text.ends_with("no answer")) << line.error().text;
  EXPECT_LT(host.clock.mono() - start, 2s);
}

TEST(Tcp, EndsADialThatIsCancelled) {
  asio::io_context loop;
  SystemClock clock;
  TaskGroup group(loop.get_executor());
  bool returned = false;
  group.spawn([](SystemClock& time, bool& back) -> Task<void> {
    (void)co_await dial_tcp(time, "192.0.2.1", 9, 30s);
    back = true;
  }(clock, returned));
  loop.run_for(20ms);
  group.cancel();
  loop.restart();
  loop.run_for(1s);
  EXPECT_EQ(group.running(), 0u);
}

TEST(Tcp, CarriesBytesBothWays) {
  Host host;
  auto line = host.dial();
  auto peer = host.answer();
  EXPECT_EQ(line->name(), fmt::format("tcp 127.0.0.1:{}", host.port()));

  ASSERT_TRUE(on_loop(host.loop, line->write(hex("00 01 00 00 00 06"))));
  std::array<std::uint8_t, 6> there{};
  asio::read(peer, asio::buffer(there));
  EXPECT_EQ(to_hex(there), "00 01 00 00 00 06");

  asio::write(peer, asio::buffer(hex("0A 0B")));
  std::array<std::uint8_t, 16> here{};
  EXPECT_EQ(read(host, *line, here, 1000ms), 2u);
  EXPECT_LE(line->last_byte_at(), host.clock.mono());
  EXPECT_GT(line->last_byte_at(), MonoTime{});
}

TEST(Tcp, TimesOutWhenThePeerIsSilentAndStaysUsable) {
  Host host;
  auto line = host.dial();
  auto peer = host.answer();
  std::array<std::uint8_t, 16> here{};

  const auto start = host.clock.mono();
  auto nothing = read(host, *line, here, 30ms);
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, Errc::timeout);
  EXPECT_GE(host.clock.mono() - start, 30ms);
  EXPECT_EQ(read(host, *line, here, -1ms).error().code, Errc::timeout);

  asio::write(peer, asio::buffer(hex("0A")));
  EXPECT_EQ(read(host, *line, here, 1000ms), 1u);
}

TEST(Tcp, GivesWhatIsThereEvenWhenTheTimeIsPast) {
  Host host;
  auto line = host.dial();
  auto peer = host.answer();
  asio::write(peer, asio::buffer(hex("0A 0B")));
  std::this_thread::sleep_for(5ms);  // the loopback delivers
  std::array<std::uint8_t, 16> here{};
  EXPECT_EQ(read(host, *line, here, -1000ms), 2u);
}

TEST(Tcp, DropsHalfAFrameThatIsLeftOver) {
  Host host;
  auto line = host.dial();
  auto peer = host.answer();
  asio::write(peer, asio::buffer(hex("00 01 00 00 00")));
  std::this_thread::sleep_for(5ms);
  EXPECT_EQ(line->discard(), 5u);
  EXPECT_EQ(line->discard(), 0u);
}

TEST(Tcp, SaysThatThePeerHungUp) {
  Host host;
  auto line = host.dial();
  {
    auto peer = host.answer();
  }
  std::array<std::uint8_t, 16> here{};
  auto end = read(host, *line, here, 1000ms);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, Errc::closed);
  EXPECT_EQ(end.error().text, "the peer hung up");
}

TEST(Tcp, SaysThatThePeerReset) {
  Host host;
  auto line = host.dial();
  {
    auto peer = host.answer();
    peer.set_option(asio::socket_base::linger(true, 0));
    peer.close();  // the destructor would take the linger back
  }
  std::array<std::uint8_t, 16> here{};
  auto end = read(host, *line, here, 1000ms);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, Errc::closed);
  EXPECT_EQ(end.error().text, "the peer reset the connection");
  auto write = on_loop(host.loop, line->write(hex("00")));  // and no SIGPIPE
  ASSERT_FALSE(write);
  EXPECT_EQ(write.error().code, Errc::closed);
}

Task<Result<std::size_t>> read_while_closing(ByteLine& line, std::span<std::uint8_t> into,
                                             MonoTime until, asio::io_context& loop) {
  asio::post(loop, [&line] { line.close(); });
  co_return co_await line.read_some(into, until);
}

TEST(Tcp, EndsAReadWhenWeCloseTheLine) {
  Host host;
  auto line = host.dial();
  std::array<std::uint8_t, 16> here{};
  auto end = on_loop(host.loop, read_while_closing(*line, here, host.soon(5000ms), host.loop));
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, Errc::closed);
  EXPECT_FALSE(line->is_open());
}

Task<Result<std::size_t>> write_a_lot(ByteLine& line, std::size_t bytes) {
  const ByteVector much(bytes, 0x55);
  auto written = co_await line.write(much);
  if (!written) co_return fail(written.error());
  co_return bytes;
}

Task<std::size_t> take_a_lot(tcp::socket& peer, std::size_t bytes) {
  ByteVector buffer(65536);
  std::size_t total = 0;
  while (total < bytes)
    total += co_await peer.async_read_some(asio::buffer(buffer), asio::use_awaitable);
  co_return total;
}

TEST(Tcp, WritesMoreThanTheKernelTakesAtOnceWhileItReads) {
  Host host;
  auto line = host.dial();
  auto peer = host.answer();
  peer.non_blocking(true);
  tcp::socket far(host.loop, tcp::v4(), peer.release());
  constexpr std::size_t kMuch = 16 << 20;
  Result<std::size_t> written = 0;
  std::array<std::uint8_t, 4> here{};
  Result<std::size_t> got = 0;
  asio::co_spawn(host.loop, write_a_lot(*line, kMuch),
                 [&](std::exception_ptr, Result<std::size_t> r) { written = r; });
  asio::co_spawn(host.loop, line->read_some(here, host.soon(10ms)),
                 [&](std::exception_ptr, Result<std::size_t> r) { got = r; });
  EXPECT_EQ(on_loop(host.loop, take_a_lot(far, kMuch)), kMuch);
  host.loop.run_for(50ms);
  EXPECT_EQ(written, kMuch);
  EXPECT_EQ(got.error().code, Errc::timeout);  // the reader's time-out does not disturb the writer
}

TEST(Tcp, DialsIpv6) {
  std::optional<Host> host;
  try {
    host.emplace("::1");
  } catch (const boost::system::system_error&) {
    GTEST_SKIP() << "no IPv6 on this machine";
  }
  EXPECT_EQ(host->dial("::1")->name(), fmt::format("tcp [::1]:{}", host->port()));
  EXPECT_EQ(host->dial("[::1]")->name(), fmt::format("tcp [::1]:{}", host->port()));
}

TEST(Resolve, GivesLiteralsWithoutAskingAnybody) {
  asio::io_context loop;
  auto found = on_loop(loop, resolve("[2001:db8::1]", {}));
  ASSERT_TRUE(found);
  EXPECT_EQ(with_port(found->front(), 502), "[2001:db8::1]:502");
}

TEST(Resolve, RefusesAnEmptyName) {
  asio::io_context loop;
  EXPECT_EQ(on_loop(loop, resolve("", MonoTime::max())).error().code, Errc::invalid);
}

}  // namespace
}  // namespace lightship::link
