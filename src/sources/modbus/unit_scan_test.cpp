// Asking for units on a scripted line.
#include "sources/modbus/unit_scan.h"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>

#include "codec/modbus/rtu.h"
#include "link/testing/scripted_line.h"
#include "sources/modbus/line_conversation.h"
#include "sources/modbus/mbap_conversation.h"
#include "sources/modbus/rate_asker.h"
#include "sources/modbus/rate_finder.h"

namespace lightship::poller {
namespace {

using namespace std::chrono_literals;

std::string frame(std::uint8_t unit, std::string_view pdu) {
  return to_hex(modbus::rtu::frame(unit, hex(pdu)));
}

struct Bench {
  Bench() { plan.again = {}; }  // but where a test says otherwise
  asio::io_context loop;
  ManualClock clock{loop};
  link::ScriptedLink link{clock};
  ScanPlan plan;
  std::vector<UnitFound> found;
  std::optional<Error> error;
  std::string told;

  // The two questions of a unit.
  link::ScriptedLink::Exchange& first(std::uint8_t unit) {
    return link.expects(frame(unit, "03 00 00 00 01"));
  }
  link::ScriptedLink::Exchange& second(std::uint8_t unit) {
    return link.expects(frame(unit, "04 03 00 00 01"));
  }
  void silent(std::uint8_t unit) {
    first(unit);
    second(unit);
  }

  static Task<Result<std::unique_ptr<Conversation>>> open(Bench& bench) {
    auto line = bench.link.open();
    if (!line) co_return fail(line.error());
    if (bench.plan.mbap)
      co_return std::make_unique<MbapConversation>(std::move(*line), bench.clock,
                                                   bench.loop.get_executor());
    co_return std::make_unique<LineConversation>(std::move(*line), bench.clock,
                                                 LineConversation::Framing::rtu, LineTiming{},
                                                 modbus::Echo::unknown);
  }
  static Task<void> work(Bench& bench) {
    Talker talker(bench.loop.get_executor(), [&bench] { return open(bench); });
    ScanNews news;
    news.progress = [&](std::size_t done, std::size_t all, std::uint8_t, Duration left) {
      bench.told += fmt::format("{}/{} {}, ", done, all, for_people(left));
    };
    news.again = [&](std::size_t units, Duration longest) {
      bench.told += fmt::format("again {} {}, ", units, for_people(longest));
    };
    auto result = co_await scan_units(talker, bench.plan, news);
    co_await talker.end();
    if (result)
      bench.found = std::move(*result);
    else
      bench.error = result.error();
  }
  // "3 5 9!", where ! is a unit of which everything was damaged.
  std::string scan(std::vector<std::uint8_t> units) {
    plan.units = std::move(units);
    asio::co_spawn(loop, work(*this), [](std::exception_ptr why) {
      if (why) std::rethrow_exception(why);
    });
    clock.advance(10min);
    std::string text;
    for (const auto& unit : found)
      text +=
          fmt::format("{}{}{}", text.empty() ? "" : " ", unit.unit, unit.only_damaged() ? "!" : "");
    return text;
  }
};

TEST(UnitScan, FindsWhoeverAnswers) {
  Bench bench;
  bench.silent(1);
  bench.first(2).after(20ms).answers(frame(2, "03 02 00 07"));
  bench.silent(3);
  EXPECT_EQ(bench.scan({1, 2, 3}), "2");
  EXPECT_EQ(bench.found[0].answered, "read 1 holding register at 0");
}

TEST(UnitScan, AsksWhoSaidNothingOnceMoreAtTheEnd) {
  Bench bench;
  bench.plan.again = 30s;
  bench.silent(1);
  bench.first(2).after(20ms).answers(frame(2, "03 02 00 07"));
  bench.silent(3);
  bench.first(1).after(250ms).answers(frame(1, "03 02 00 07"));
  bench.silent(3);
  EXPECT_EQ(bench.scan({1, 2, 3}), "2 1");
}

TEST(UnitScan, TheSecondRoundIsBoundedAndTheTimeLeftIsThatOfWhatIsStillToBeAsked) {
  Bench bench;
  bench.plan.again = 1500ms;  // two of them, 300 ms for each of two questions
  EXPECT_EQ(bench.plan.longest(), 0s);
  for (const auto unit : {1, 2, 3, 1, 2}) bench.silent(static_cast<std::uint8_t>(unit));
  EXPECT_EQ(bench.scan({1, 2, 3}), "");
  EXPECT_EQ(bench.plan.longest(), 3 * 600ms + 1200ms);
  EXPECT_EQ(bench.told, "1/3 3.0 s, 2/3 2.4 s, 3/3 1.8 s, again 2 1.2 s, 1/2 1.2 s, 2/2 600 ms, ");
}

TEST(UnitScan, TakesAnExceptionForAnAnswer) {
  Bench bench;
  bench.first(7).answers(frame(7, "83 02"));
  EXPECT_EQ(bench.scan({7}), "7");
  EXPECT_EQ(bench.found[0].answered, "exception 2 (address range not served)");
}

TEST(UnitScan, AsksByTheOtherFunctionWhoIsSilentToTheFirst) {
  Bench bench;
  bench.first(7);
  bench.second(7).answers(frame(7, "04 02 00 07"));
  EXPECT_EQ(bench.scan({7}), "7");
}

TEST(UnitScan, WaitsAsLongAsTheDevicesThatAnswerNeed) {
  Bench bench;
  bench.first(1).after(10ms).answers(frame(1, "03 02 00 07"));
  for (const auto unit : {2, 3, 4}) bench.silent(static_cast<std::uint8_t>(unit));
  const auto begun = bench.clock.mono();
  bench.plan.units = {1, 2, 3, 4};
  Task<void> (*work)(Bench&) = &Bench::work;
  MonoTime ended{};
  asio::co_spawn(bench.loop, work(bench), [&](std::exception_ptr) { ended = bench.clock.mono(); });
  bench.clock.advance(1min);
  // 6 questions of 100 ms, the least wait, after the one of 10 ms; not of 300 ms.
  EXPECT_NEAR(to_ms(ended - begun), 610, 20);
}

TEST(UnitScan, AsksAgainWhoAnswersLate) {
  Bench bench;
  bench.first(1).answers(frame(1, "03 02 00 07"));
  bench.first(2).after(350ms).answers(frame(2, "03 02 00 07"));  // while unit 3 is asked
  bench.second(2);
  bench.first(3);
  bench.second(3);
  bench.first(2).after(350ms).answers(frame(2, "03 02 00 07"));
  EXPECT_EQ(bench.scan({1, 2, 3}), "1 2");
}

TEST(UnitScan, TellsThatNothingButDamagedAnswersCome) {
  Bench bench;
  for (int i = 0; i < 4; ++i) bench.first(9).answers("09 03 02 55 0F 88 21");
  EXPECT_EQ(bench.scan({9}), "9!");
}

TEST(UnitScan, AsksAgainAfterADamagedAnswer) {
  Bench bench;
  bench.first(9).answers("09 03 02 55 0F 88 21");
  bench.first(9).answers(frame(9, "03 02 00 07"));
  EXPECT_EQ(bench.scan({9}), "9");
  EXPECT_EQ(bench.found[0].damaged, 1u);
}

TEST(UnitScan, BelievesAGatewayThatSaysNobody) {
  Bench bench;
  bench.plan.mbap = true;
  bench.link.expects("00 01 00 00 00 06 01 03 00 00 00 01").answers("00 01 00 00 00 03 01 83 0B");
  bench.link.expects("00 02 00 00 00 06 02 03 00 00 00 01").answers("00 02 00 00 00 03 02 83 0A");
  EXPECT_EQ(bench.scan({1, 2}), "");
}

TEST(UnitScan, FindsADeviceThatLooksAtNoUnitIdOnce) {
  Bench bench;
  bench.plan.mbap = true;
  bench.link.expects("00 01 00 00 00 06 01 03 00 00 00 01")
      .answers("00 01 00 00 00 05 01 03 02 00 07");
  bench.link.expects("00 02 00 00 00 06 FB 03 00 00 00 01")
      .answers("00 02 00 00 00 05 FB 03 02 00 07");
  bench.link.expects("00 03 00 00 00 06 FE 03 00 00 00 01")
      .answers("00 03 00 00 00 05 FE 03 02 00 07");
  EXPECT_EQ(bench.scan({1, 2, 3}), "1");
  EXPECT_TRUE(bench.found[0].every_unit);
}

TEST(UnitScan, OpensALineAgainThatWasClosedMeanwhile) {
  Bench bench;
  bench.first(1).answers(frame(1, "03 02 00 07"));
  bench.first(2).hangs_up();
  bench.first(2).answers(frame(2, "03 02 00 07"));
  EXPECT_EQ(bench.scan({1, 2}), "1 2");
  EXPECT_EQ(bench.link.opened(), 2u);
}

TEST(UnitScan, PassesOnThatTheLineCannotBeOpened) {
  Bench bench;
  bench.link.refuses({Errc::unavailable, "no such port", 2});
  EXPECT_EQ(bench.scan({1}), "");
  EXPECT_EQ(bench.error->text, "no such port");
}

TEST(ParseUnits, TakesNumbersAndRanges) {
  EXPECT_EQ(*parse_units("1-3,17, 2,33"), (std::vector<std::uint8_t>{1, 2, 3, 17, 33}));
  EXPECT_EQ(parse_units("1-247")->size(), 247u);
}

TEST(ParseUnits, RefusesWhatIsNoUnit) {
  for (const auto* text : {"", "a", "5-2", "256", "1-", "-3", "1,,2"})
    EXPECT_FALSE(parse_units(text).has_value()) << text;
}

// A line on which one setting is the right one: at the others nobody understands the question.
struct Port {
  asio::io_context loop;
  ManualClock clock{loop};
  link::ScriptedLink right{clock, "right"}, deaf{clock, "deaf"};
  std::string true_settings;
  Result<AskedRate> result = fail(Errc::timeout, "not yet");

  static Task<Result<std::unique_ptr<Conversation>>> open(Port& port,
                                                          link::SerialSettings settings) {
    auto& link = link::describe(settings) == port.true_settings ? port.right : port.deaf;
    co_return std::make_unique<LineConversation>(std::move(*link.open()), port.clock,
                                                 LineConversation::Framing::rtu, LineTiming{},
                                                 modbus::Echo::unknown);
  }
  static Task<void> work(Port& port, AskRatePlan plan) {
    const OpenAt open = [&port](link::SerialSettings s) { return Port::open(port, std::move(s)); };
    port.result = co_await find_rate_by_asking(port.loop.get_executor(), open, std::move(plan));
  }
};

TEST(RateAsker, FindsTheSettingAtWhichSomebodyAnswers) {
  Port port;
  port.true_settings = "9600 8E1";
  port.deaf.expects(frame(5, "03 00 00 00 01"));
  port.deaf.expects(frame(5, "04 03 00 00 01"));
  port.right.expects(frame(5, "03 00 00 00 01")).answers(frame(5, "83 02"));
  AskRatePlan plan;
  plan.candidates = likely_settings({}, {true, true}, Framing::rtu);
  plan.units = {5};
  asio::co_spawn(port.loop, Port::work(port, plan), [](std::exception_ptr why) {
    if (why) std::rethrow_exception(why);
  });
  port.clock.advance(1min);
  ASSERT_TRUE(port.result && port.result->settings);
  EXPECT_EQ(link::describe(*port.result->settings), "9600 8E1");
  EXPECT_EQ(port.result->unit, 5);
}

}  // namespace
}  // namespace lightship::poller
