// The simulated server, asked over the loopback.
#include "sim/tcp_device.h"

#include <gtest/gtest.h>

#include "base/hex.h"
#include "link/tcp.h"
#include "link/testing/on_loop.h"

namespace lightship::sim {
namespace {

using namespace std::chrono_literals;
using link::ByteLine;

class TcpDeviceTest : public ::testing::Test {
 protected:
  TcpDeviceTest() {
    map->holding[0] = 42;
    EXPECT_TRUE(device.take_port(0));
    EXPECT_TRUE(device.switch_on());
  }
  ~TcpDeviceTest() override { run(off(device)); }

  static Task<int> off(TcpDevice& which) {
    co_await which.switch_off();
    co_return 0;
  }
  static Task<std::string> ask(ByteLine& line, ByteVector request, std::size_t expected) {
    SystemClock clock;
    if (!co_await line.write(request)) co_return "not written";
    ByteVector heard;
    while (heard.size() < expected) {
      std::array<std::uint8_t, 256> bytes;
      const auto count = co_await line.read_some(bytes, clock.mono() + 1s);
      if (!count) co_return std::string(to_string(count.error().code));
      heard.insert(heard.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(*count));
    }
    co_return to_hex(heard);
  }
  template <class T>
  T run(Task<T> task) {
    return link::on_loop(loop, std::move(task));
  }
  std::unique_ptr<ByteLine> dial() {
    auto line = run(link::dial_tcp(clock, "127.0.0.1", device.port(), 1s));
    return line ? std::move(*line) : nullptr;
  }

  asio::io_context loop;
  SystemClock clock;
  std::shared_ptr<modbus::MemoryMap> map = std::make_shared<modbus::MemoryMap>(10);
  TcpDevice device{loop.get_executor(), clock, {{1, map}}};
};

TEST_F(TcpDeviceTest, AnswersTwoRequestsInOneSegmentAndTwoClients) {
  auto one = dial(), other = dial();
  EXPECT_EQ(
      run(ask(*one, hex("00 01 00 00 00 06 01 03 00 00 00 01 00 02 00 00 00 06 01 03 00 00 00 01"),
              22)),
      "00 01 00 00 00 05 01 03 02 00 2A 00 02 00 00 00 05 01 03 02 00 2A");
  EXPECT_EQ(run(ask(*other, hex("00 03 00 00 00 06 00 03 00 00 00 01"), 11)),
            "00 03 00 00 00 05 00 03 02 00 2A");
}

TEST_F(TcpDeviceTest, SaysThatAnotherUnitDoesNotAnswer) {
  auto line = dial();
  EXPECT_EQ(run(ask(*line, hex("00 01 00 00 00 06 09 03 00 00 00 01"), 9)),
            "00 01 00 00 00 03 09 83 0B");
}

TEST_F(TcpDeviceTest, HangsUpOnAStreamThatIsNoModbus) {
  auto line = dial();
  EXPECT_EQ(run(ask(*line, hex("47 45 54 20 2F 20 48 54"), 1)), "closed");
}

TEST_F(TcpDeviceTest, IsGoneWhileItIsOffAndBackOnTheSamePort) {
  auto line = dial();
  const auto port = device.port();
  run(off(device));
  EXPECT_EQ(run(ask(*line, hex("00 01 00 00 00 06 01 03 00 00 00 01"), 11)), "closed");
  EXPECT_EQ(dial(), nullptr);

  ASSERT_TRUE(device.switch_on());
  EXPECT_EQ(device.port(), port);
  auto again = dial();
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(run(ask(*again, hex("00 01 00 00 00 06 01 03 00 00 00 01"), 11)),
            "00 01 00 00 00 05 01 03 02 00 2A");
}

}  // namespace
}  // namespace lightship::sim
