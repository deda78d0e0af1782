// Serial ports over a pty, whose master plays the device.
#include "link/serial.h"

#include <cstdlib>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/hex.h"
#include "link/serial_rate.h"
#include "link/testing/on_loop.h"

namespace lightship::link {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

struct Bench {
  Bench() {
    char name[64];
    int slave = -1;
    if (::openpty(&master, &slave, name, nullptr, nullptr) != 0) std::abort();
    ::close(slave);
    settings.device = name;
  }
  ~Bench() { unplug(); }
  void unplug() {
    if (master >= 0) ::close(std::exchange(master, -1));
  }
  Result<std::unique_ptr<SerialLine>> open() {
    return open_serial(loop.get_executor(), clock, settings);
  }
  void send(std::string_view text) {
    const auto bytes = hex(text);
    ASSERT_EQ(::write(master, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  std::string sent(std::size_t count) {
    ByteVector bytes(count);
    std::size_t have = 0;
    while (have < count) {
      const auto more = ::read(master, bytes.data() + have, count - have);
      if (more <= 0) break;
      have += static_cast<std::size_t>(more);
    }
    return to_hex(Bytes(bytes).first(have));
  }
  Result<std::size_t> read(ByteLine& line, std::span<std::uint8_t> into,
                           std::chrono::milliseconds limit) {
    return on_loop(loop, line.read_some(into, clock.mono() + limit));
  }

  asio::io_context loop;
  SystemClock clock;
  SerialSettings settings;
  int master = -1;
};

TEST(Serial, CarriesEveryByteAsItIs) {
  Bench bench;
  auto line = bench.open();
  ASSERT_TRUE(line) << line.error().text;
  // What a terminal would translate, swallow or act upon: XON, XOFF, CR, LF, ^C, ^D, ^Z, DEL, 0,
  // 255.
  constexpr auto kAwkward = "11 13 0D 0A 03 04 1A 7F 00 FF";
  ASSERT_TRUE(on_loop(bench.loop, (*line)->write(hex(kAwkward))));
  EXPECT_EQ(bench.sent(10), kAwkward);

  bench.send(kAwkward);
  std::array<std::uint8_t, 32> here{};
  auto count = bench.read(**line, here, 1000ms);
  ASSERT_TRUE(count);
  EXPECT_EQ(to_hex(Bytes(here).first(*count)), kAwkward);
  EXPECT_GT((*line)->last_byte_at(), MonoTime{});
}

TEST(Serial, TimesOutAndGoesOn) {
  Bench bench;
  auto line = bench.open().value();
  std::array<std::uint8_t, 32> here{};
  const auto start = bench.clock.mono();
  EXPECT_EQ(bench.read(*line, here, 20ms).error().code, Errc::timeout);
  EXPECT_GE(bench.clock.mono() - start, 20ms);

  bench.send("01");
  EXPECT_EQ(bench.read(*line, here, 1000ms), 1u);
}

TEST(Serial, DropsWhatCameBeforeTheRequest) {
  Bench bench;
  auto line = bench.open().value();
  bench.send("00 FF 00");
  EXPECT_EQ(line->discard(), 3u);
  EXPECT_EQ(line->discard(), 0u);
}

TEST(Serial, SaysThatThePortIsGone) {
  Bench bench;
  auto line = bench.open().value();
  bench.unplug();
  std::array<std::uint8_t, 32> here{};
  auto end = bench.read(*line, here, 1000ms);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, Errc::closed);
  auto write = on_loop(bench.loop, line->write(hex("01")));
  ASSERT_FALSE(write);
  EXPECT_EQ(write.error().code, Errc::closed);
}

Task<Result<std::size_t>> read_while_unplugging(Bench& bench, ByteLine& line,
                                                std::span<std::uint8_t> into) {
  asio::post(bench.loop, [&bench] { bench.unplug(); });
  co_return co_await line.read_some(into, bench.clock.mono() + 5s);
}

TEST(Serial, NoticesTheUnpluggingWhileItWaits) {
  Bench bench;
  auto line = bench.open().value();
  std::array<std::uint8_t, 32> here{};
  const auto start = bench.clock.mono();
  EXPECT_EQ(on_loop(bench.loop, read_while_unplugging(bench, *line, here)).error().code,
            Errc::closed);
  EXPECT_LT(bench.clock.mono() - start, 1s);
}

TEST(Serial, EndsAReadThatIsCancelled) {
  Bench bench;
  auto line = bench.open().value();
  TaskGroup group(bench.loop.get_executor());
  bool returned = false;
  group.spawn([](ByteLine& port, bool& back) -> Task<void> {
    std::array<std::uint8_t, 32> here{};
    (void)co_await port.read_some(here, MonoTime::max());
    back = true;
  }(*line, returned));
  bench.loop.run_for(5ms);
  group.cancel();
  bench.loop.run_for(100ms);
  EXPECT_EQ(group.running(), 0u);
  EXPECT_FALSE(returned);
}

TEST(Serial, RefusesAPortThatThisProgramHasOpen) {
  Bench bench;
  auto first = bench.open().value();
  auto second = bench.open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::unavailable);
  EXPECT_EQ(second.error().text,
            fmt::format("serial {}: this program (pid {}) has the port open already",
                        bench.settings.device, ::getpid()));
  first.reset();
  EXPECT_TRUE(bench.open());
}

// A program that holds the port with a lock and nothing else, until its standard input ends.
struct OtherProgram {
  explicit OtherProgram(const std::string& device) {
    int ready[2];
    if (::pipe2(ready, O_CLOEXEC) != 0) std::abort();
    pid = ::fork();
    if (pid == 0) {
      ::dup2(ready[1], 1);
      ::execl("/usr/bin/flock", "flock", device.c_str(), "sh", "-c", "echo ready; exec sleep 30",
              nullptr);
      ::_exit(127);
    }
    ::close(ready[1]);
    char answer[8];
    started = ::read(ready[0], answer, sizeof answer) > 0;
    ::close(ready[0]);
  }
  ~OtherProgram() {
    ::kill(-pid, SIGTERM);
    ::kill(pid, SIGTERM);
    ::waitpid(pid, nullptr, 0);
  }
  pid_t pid;
  bool started = false;
};

TEST(Serial, NamesTheProgramThatHoldsThePort) {
  if (::access("/usr/bin/flock", X_OK) != 0) GTEST_SKIP() << "/usr/bin/flock is missing";
  Bench bench;
  OtherProgram other(bench.settings.device);
  ASSERT_TRUE(other.started);
  auto line = bench.open();
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().code, Errc::unavailable);
  EXPECT_THAT(line.error().text, HasSubstr("holds the port"));
  EXPECT_TRUE(line.error().text.find(fmt::format("pid {} (", other.pid)) != std::string::npos ||
              line.error().text.find("(sleep 30)") != std::string::npos)
      << line.error().text;
}

TEST(Serial, SaysWhichPortsThereAreWhenOneIsMissing) {
  Bench bench;
  bench.settings.device = "/dev/serial/by-id/usb-not-there";
  auto line = bench.open();
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().code, Errc::unavailable);
  EXPECT_EQ(line.error().detail, ENOENT);
  EXPECT_THAT(line.error().text,
              HasSubstr("serial /dev/serial/by-id/usb-not-there: no such port; th"));
}

TEST(Serial, SaysThatAFileIsNoTerminal) {
  Bench bench;
  bench.settings.device = "/dev/null";
  auto line = bench.open();
  ASSERT_FALSE(line);
  EXPECT_THAT(line.error().text, HasSubstr("serial /dev/null: "));
}

TEST(Serial, TakesACustomRate) {
  Bench bench;
  bench.settings.baud = 100'000;  // no name in termios
  auto line = bench.open();
  ASSERT_TRUE(line) << line.error().text;
  const int look = ::open(bench.settings.device.c_str(), O_RDWR | O_NOCTTY);
  // Root may pass TIOCEXCL; anybody else asks through the master.
  EXPECT_EQ(rate_of(look >= 0 ? look : bench.master), 100'000u);
  if (look >= 0) ::close(look);
}

TEST(Serial, TakesEveryNamedRateOfTheField) {
  for (unsigned baud :
       {1200u, 2400u, 4800u, 9600u, 19'200u, 38'400u, 57'600u, 115'200u, 230'400u}) {
    Bench bench;
    bench.settings.baud = baud;
    auto line = bench.open();
    ASSERT_TRUE(line) << line.error().text;
    EXPECT_EQ(rate_of(bench.master), baud);
  }
}

TEST(Serial, PassesOverWhatAPtyCannotDo) {
  Bench bench;
  bench.settings.parity = Parity::even;
  bench.settings.stop_bits = 2;
  bench.settings.rs485.direction = Direction::automatic;
  auto line = bench.open();
  ASSERT_TRUE(line) << line.error().text;
  EXPECT_FALSE((*line)->kernel_switches_direction());
  ASSERT_EQ((*line)->notes().size(), 1u);
  EXPECT_THAT((*line)->notes().front(), HasSubstr("the driver has no RS-485 mode"));
  EXPECT_EQ((*line)->errors().frame, 0u);
  EXPECT_EQ((*line)->latency_timer_ms(), std::nullopt);
}

TEST(Serial, RefusesAPortThatCannotSwitchWhenItMust) {
  Bench bench;
  bench.settings.rs485.direction = Direction::on;
  auto line = bench.open();
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().code, Errc::unavailable);
  EXPECT_THAT(line.error().text, HasSubstr("the driver has no RS-485 mode"));
}

TEST(SerialSettings, RefusesWhatNoPortCanDo) {
  const auto refused = [](auto change) {
    SerialSettings settings{.device = "/dev/ttyS0"};
    change(settings);
    auto fine = check(settings);
    return fine ? "" : fine.error().text;
  };
  EXPECT_EQ(refused([](auto&) {}), "");
  EXPECT_EQ(refused([](auto& s) { s.stop_bits = 1.5; }),
            "1.5 stop bits, expected 1 or 2 (a UART makes 1.5 of 2 when it sends 5 data bits)");
  EXPECT_EQ(refused([](auto& s) { s.stop_bits = 3; }), "3 stop bits, expected 1 or 2");
  EXPECT_EQ(refused([](auto& s) { s.data_bits = 9; }), "9 data bits, expected 5 to 8");
  EXPECT_EQ(refused([](auto& s) { s.baud = 0; }), "0 baud, expected 1 to 12000000");
  EXPECT_EQ(refused([](auto& s) { s.device = ""; }), "no device is named");
}

TEST(SerialSettings, AreWrittenAsPeopleDo) {
  EXPECT_EQ(describe(SerialSettings{.device = "", .baud = 19'200, .parity = Parity::even}),
            "19200 8E1");
}

}  // namespace
}  // namespace lightship::link
