// What a serial line carries when it is opened while somebody speaks on it.
#include "sources/modbus/line_conversation.h"

#include <cstdlib>

#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include "base/hex.h"
#include "link/testing/on_loop.h"
#include "link/testing/scripted_line.h"
#include "sources/modbus/setup.h"

namespace lightship::poller {
namespace {

using namespace std::chrono_literals;

constexpr LineTiming k9600{1042us, 3646us};

struct Bench {
  asio::io_context loop;
  ManualClock clock{loop};
  link::ScriptedLink link{clock};

  LineConversation open() {
    return {std::move(*link.open()), clock, LineConversation::Framing::rtu, k9600,
            modbus::Echo::unknown};
  }
  // How long it listened.
  std::chrono::nanoseconds hear_out(LineConversation& line) {
    const auto begun = clock.mono();
    std::optional<MonoTime> ended;
    asio::co_spawn(loop, line.hear_out(), [&](std::exception_ptr) { ended = clock.mono(); });
    clock.advance(5s);
    EXPECT_TRUE(ended);
    return ended.value_or(begun) - begun;
  }
};

TEST(LineConversation, WaitsForTheRestOfAnAnswerThatItDidNotAskFor) {
  Bench bench;
  bench.link.says("43 66 80 00", 30ms).after(60ms).answers("43 66 80 00").after(90ms).answers("6E");
  auto line = bench.open();
  EXPECT_EQ(bench.hear_out(line), 280ms);  // 100 ms after the last byte

  bench.link.expects("01 03 00 00 00 02 C4 0B").answers("01 03 04 43 66 80 00 6E 68");
  Tally tally;
  std::string said;
  asio::co_spawn(bench.loop,
                 line.ask({.unit = 1,
                           .request = modbus::Read{modbus::Function::read_holding_registers, 0, 2},
                           .patience = 1s,
                           .limit = 1s},
                          tally),
                 [&](std::exception_ptr, Result<ByteVector> answer) {
                   said = answer ? to_hex(*answer) : answer.error().text;
                 });
  bench.clock.advance(2s);
  EXPECT_EQ(said, "03 04 43 66 80 00");
  EXPECT_EQ(tally.rejects.noise_bytes, 0u);
  EXPECT_EQ(bench.link.discarded(), 0u);
}

TEST(LineConversation, IsNotKeptFromAskingByALineThatIsNeverQuiet) {
  Bench bench;
  for (int i = 0; i < 100; ++i) bench.link.says("00 FF", 50ms);
  auto line = bench.open();
  // The longest frame at 9600 baud, and 200 ms.
  EXPECT_LE(bench.hear_out(line), 256 * k9600.character + 200ms);
}

// The master of a pty goes on speaking for a moment after the port was opened.
TEST(OpenLine, HearsASerialLineOutBeforeAnythingIsAsked) {
  char name[64];
  int master = -1, slave = -1;
  ASSERT_EQ(::openpty(&master, &slave, name, nullptr, nullptr), 0);
  ::close(slave);
  asio::io_context loop;
  SystemClock clock;
  link::SerialSettings settings;
  settings.device = name;
  ConnectionConfig connection;
  connection.type = LineType::serial;
  const auto rest = hex("43 66 80 00 6E 68");
  asio::steady_timer late(loop, 10ms);
  late.async_wait([&](boost::system::error_code) {
    EXPECT_EQ(::write(master, rest.data(), rest.size()), static_cast<ssize_t>(rest.size()));
  });
  const auto begun = clock.mono();
  const auto line = link::on_loop(
      loop, open_line(loop.get_executor(), clock, connection, settings, nullptr, nullptr));
  ASSERT_TRUE(line) << line.error().text;
  EXPECT_GE(clock.mono() - begun, 110ms);
  ::close(master);
}

}  // namespace
}  // namespace lightship::poller
