// The simulated line, asked through its port as a program would.
#include "sim/rtu_bus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/hex.h"
#include "link/serial_timing.h"

namespace lightship::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kAskTwo = "01 03 00 00 00 02 C4 0B";
constexpr std::string_view kTwo = "01 03 04 00 2A 00 2B 9B E4";

std::shared_ptr<modbus::MemoryMap> forty_two() {
  auto map = std::make_shared<modbus::MemoryMap>(10);
  map->holding[0] = 42;
  map->holding[1] = 43;
  return map;
}

// A line of one device, and the program that asks it.
class Bench {
 public:
  explicit Bench(unsigned baud = 115'200, Faults faults = {}) {
    line.baud = baud;
    auto started =
        RtuBus::start({.line = line,
                       .link_as = {},
                       .real_time = false,
                       .on_exchange = [this](const Exchange& one) { exchanges.push_back(one); }},
                      {{1, forty_two(), 1ms, std::move(faults)}});
    bus = std::move(*started);
    port = ::open(bus->device().c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  }
  ~Bench() { ::close(port); }

  void say(std::string_view hex_text) {
    const auto bytes = hex(hex_text);
    (void)!::write(port, bytes.data(), bytes.size());
  }
  // What comes until it is `enough` bytes, or quiet for a while.
  std::string hear(std::size_t enough = 256) {
    ByteVector heard;
    for (;;) {
      pollfd watched{port, POLLIN, 0};
      if (heard.size() >= enough || ::poll(&watched, 1, 100) <= 0) return to_hex(heard);
      std::array<std::uint8_t, 256> bytes;
      const auto count = ::read(port, bytes.data(), bytes.size());
      if (count <= 0) return "hung up";
      heard.insert(heard.end(), bytes.begin(), bytes.begin() + count);
    }
  }
  std::string ask(std::string_view hex_text) {
    say(hex_text);
    return hear();
  }
  LineTally tally() { return bus->tally(); }

  link::SerialSettings line;
  std::vector<Exchange> exchanges;  // to be looked at when the bus has ended
  std::unique_ptr<RtuBus> bus;
  int port = -1;
};

TEST(RtuBus, AnswersItsUnit) {
  Bench bench;
  EXPECT_EQ(bench.ask(kAskTwo), kTwo);
  EXPECT_EQ(bench.tally().answers, 1u);
}

TEST(RtuBus, IsSilentForForeignUnits) {
  Bench bench;
  EXPECT_EQ(bench.ask("02 03 00 00 00 02 C4 38"), "");
  EXPECT_EQ(bench.tally().foreign, 1u);
  EXPECT_EQ(bench.ask(kAskTwo), kTwo);
}

TEST(RtuBus, IsSilentForADamagedRequestAndHearsTheNext) {
  Bench bench;
  EXPECT_EQ(bench.ask("01 03 00 00 00 02 C4 0C"), "");
  EXPECT_GE(bench.tally().bad_crc, 1u);
  EXPECT_EQ(bench.ask(kAskTwo), kTwo);
}

TEST(RtuBus, RefusesARangeThatIsNotThere) {
  Bench bench;
  EXPECT_EQ(bench.ask("01 03 00 09 00 02 14 09"), "01 83 02 C0 F1");
}

TEST(RtuBus, DamagesEachSecondAnswerWhenTold) {
  Bench bench(115'200, {.bad_crc_every = 2});
  EXPECT_EQ(bench.ask(kAskTwo), kTwo);
  EXPECT_EQ(bench.ask(kAskTwo), "01 03 04 00 2A 00 2B 9B B1");
  EXPECT_EQ(bench.ask(kAskTwo), kTwo);
}

TEST(RtuBus, PutsNoiseBeforeTheAnswerWhenTold) {
  Bench bench(115'200, {.noise = {0x00, 0xFF}});
  EXPECT_EQ(bench.ask(kAskTwo), "00 FF " + std::string(kTwo));
}

TEST(RtuBus, RefusesWhenTold) {
  Bench bench(115'200, {.refusal = modbus::Exception::busy});
  EXPECT_EQ(bench.ask(kAskTwo), "01 83 06 C1 32");
}

TEST(RtuBus, FallsSilentAndComesBack) {
  Bench bench;
  bench.bus->set_faults(1, {.silent = true});
  EXPECT_EQ(bench.ask(kAskTwo), "");
  bench.bus->set_faults(1, {});
  EXPECT_EQ(bench.ask(kAskTwo), kTwo);
}

TEST(RtuBus, LosesWhatIsSaidWhileADeviceAnswers) {
  Bench bench(9600);
  bench.say(kAskTwo);
  std::this_thread::sleep_for(
      14ms);  // 8.3 ms of request, 3.6 ms of silence, 1 ms of its own: it is answering
  bench.say(kAskTwo);
  EXPECT_EQ(bench.hear(), kTwo);
  EXPECT_EQ(bench.tally().collisions, 1u);
}

TEST(RtuBus, HangsUpWhenItEnds) {
  Bench bench;
  bench.bus.reset();
  EXPECT_EQ(bench.hear(), "hung up");
}

TEST(RtuBus, HasAStableNameWhereTold) {
  const auto name =
      std::filesystem::temp_directory_path() / ("lightship-line-" + std::to_string(::getpid()));
  {
    auto bus =
        RtuBus::start({.line = {}, .link_as = name, .real_time = false, .on_exchange = {}}, {});
    ASSERT_TRUE(bus);
    EXPECT_EQ((*bus)->device(), name);
    EXPECT_TRUE(std::filesystem::exists(name));
  }
  EXPECT_FALSE(std::filesystem::is_symlink(name));
}

// Never early; how often it was late is this machine's business, so it is shown and not judged.
TEST(RtuBus, KeepsTheTimeOfTheWire) {
  Bench bench(19'200);
  for (int i = 0; i < 50; ++i) {
    bench.say(kAskTwo);
    EXPECT_EQ(bench.hear(9), kTwo);
  }
  bench.bus.reset();
  ASSERT_EQ(bench.exchanges.size(), 50u);
  int late = 0;
  for (const auto& one : bench.exchanges) {
    EXPECT_EQ(one.request_end - one.asked, link::wire_time(bench.line, 8));
    EXPECT_GE(one.answer_time, 1ms);
    EXPECT_GE(one.answer_end - one.request_end,
              link::t35(bench.line) + 1ms + link::wire_time(bench.line, 9));
    EXPECT_GE(one.late, 0ns);
    if (one.answer_time > 1200us || one.late > 200us) ++late;
  }
  RecordProperty("late_of_50", late);
  std::printf("more than 0.2 ms late: %d of 50\n", late);
}

}  // namespace
}  // namespace lightship::sim
