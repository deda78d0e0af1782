// Finding the rate of a line by listening: at every setting but one it garbles what is said.
#include "sources/modbus/rate_finder.h"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>

#include "link/testing/scripted_line.h"

namespace lightship::poller {
namespace {

using namespace std::chrono_literals;

struct Bench {
  asio::io_context loop;
  ManualClock clock{loop};
  link::ScriptedLink good{clock, "good"}, garbled{clock, "garbled"};
  std::string true_settings = "19200 8E1";
  bool somebody_talks = false;
  std::uint64_t line_errors = 0;  // of the driver, at the wrong settings
  std::vector<std::string> opened;

  Result<OpenedPort> open(const link::SerialSettings& settings) {
    EXPECT_TRUE(settings.receive_only);
    opened.push_back(link::describe(settings));
    const bool right = opened.back() == true_settings;
    if (!right && somebody_talks)
      for (int i = 0; i < 20; ++i) garbled.says("F3 7E 00 1C 80 E0 00 F8 1C 7F", 50ms);
    auto line = (right ? good : garbled).open();
    if (!line) return fail(line.error());
    const auto errors = right ? 0 : line_errors;
    return OpenedPort{
        std::move(*line), [errors] { return link::SerialErrors{.frame = errors}; }, {}};
  }

  static Task<void> look(Bench& bench, std::vector<link::SerialSettings> candidates,
                         Result<RateFound>& found) {
    const OpenPort open = [&bench](const link::SerialSettings& s) { return bench.open(s); };
    found = co_await find_rate_by_listening(open, bench.clock, std::move(candidates), Framing::rtu,
                                            {.at_each = 1500ms, .at_most = 30s});
  }
  Result<RateFound> find(Unknown unknown = {true, true}) {
    link::SerialSettings base;
    base.receive_only = true;
    Result<RateFound> found = fail(Errc::timeout, "not yet");
    asio::co_spawn(loop, look(*this, likely_settings(base, unknown, Framing::rtu), found),
                   [](std::exception_ptr why) {
                     if (why) std::rethrow_exception(why);
                   });
    clock.advance(60s);
    return found;
  }
};

// Two polls and their answers, 0.1 s apart, whenever the line is opened anew.
void polls(link::ScriptedLink& link, int count = 3) {
  for (int i = 0; i < count; ++i) {
    link.says("01 03 00 00 00 02 C4 0B", 100ms);
    link.says("01 03 04 43 66 80 00 6E 68", 20ms);
  }
}

TEST(RateFinder, TriesTheUsualSettingsFirst) {
  const auto settings = likely_settings({}, {true, true}, Framing::rtu);
  std::vector<std::string> first;
  for (std::size_t i = 0; i < 4; ++i) first.push_back(link::describe(settings[i]));
  EXPECT_EQ(first, (std::vector<std::string>{"9600 8N1", "9600 8E1", "19200 8N1", "19200 8E1"}));
  EXPECT_EQ(settings.size(), 24u);
  EXPECT_EQ(link::describe(settings.back()), "1200 8O1");
}

TEST(RateFinder, KeepsWhatIsGiven) {
  link::SerialSettings base;
  base.baud = 4800;
  base.parity = link::Parity::even;
  EXPECT_EQ(likely_settings(base, {}, Framing::rtu).size(), 1u);
  for (const auto& one : likely_settings(base, {true, false}, Framing::rtu))
    EXPECT_EQ(one.parity, link::Parity::even);
  for (const auto& one : likely_settings(base, {false, true}, Framing::rtu))
    EXPECT_EQ(one.baud, 4800u);
}

TEST(RateFinder, FindsTheSettingAtWhichTheFramesAreRight) {
  Bench bench;
  bench.somebody_talks = true;
  polls(bench.good);
  const auto found = bench.find();
  ASSERT_TRUE(found && found->settings);
  EXPECT_EQ(link::describe(*found->settings), "19200 8E1");
  EXPECT_EQ(bench.opened.size(), 4u);
  EXPECT_TRUE(found->certain());
  EXPECT_GE(found->pairs, 1u);
}

// Some adapters do not mind a missing stop bit: the bytes are right, and the driver counts.
TEST(RateFinder, PrefersTheSettingWithoutLineErrors) {
  Bench bench;
  bench.true_settings = "9600 8E1";
  bench.line_errors = 25;
  polls(bench.garbled);
  polls(bench.good);
  const auto found = bench.find();
  ASSERT_TRUE(found && found->settings);
  EXPECT_EQ(link::describe(*found->settings), "9600 8E1");
}

TEST(RateFinder, GivesUpOnASilentLineWhenItsTimeIsOver) {
  Bench bench;
  const auto found = bench.find();
  ASSERT_TRUE(found.has_value());
  EXPECT_FALSE(found->settings);
  EXPECT_EQ(found->bytes, 0u);
  EXPECT_EQ(bench.opened.size(), 1u);
  EXPECT_EQ(describe(*found), "no byte was heard");
}

TEST(RateFinder, PassesOnThatThePortCannotBeHad) {
  Bench bench;
  bench.garbled.refuses({Errc::unavailable, "pid 7 (other) holds the port", 11});
  const auto found = bench.find();
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().text, "pid 7 (other) holds the port");
}

}  // namespace
}  // namespace lightship::poller
