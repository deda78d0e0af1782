// A line's life: polls, silence, damage, loss and return, against a scripted peer.
#include "sources/modbus/line_source.h"

#include <gtest/gtest.h>

#include "sources/modbus/testing/workshop.h"

namespace lightship::poller {
namespace {

using namespace std::chrono_literals;

constexpr const char* kAsk = "01 03 00 00 00 02 C4 0B";
constexpr const char* kAnswer = "01 03 04 43 66 80 00 6E 68";  // 230.5

TEST(LineSource, PublishesWhatTheMeterSays) {
  Workshop shop;
  shop.link.expects(kAsk).answers(kAnswer);
  LineSource line(shop.context, shop.line({Workshop::meter(1, 5s)}));
  shop.run(line, 1s);
  EXPECT_EQ(shop.told(), "230.5");
  ASSERT_EQ(shop.seen.size(), 1u);
  EXPECT_TRUE(shop.seen[0].online);
  ASSERT_EQ(shop.seen[0].blocks.size(), 1u);
  EXPECT_EQ(to_hex(shop.seen[0].blocks[0].data), "43 66 80 00");
}

TEST(LineSource, KeepsTheIntervalWithoutDrift) {
  Workshop shop;
  for (int i = 0; i < 4; ++i) shop.link.expects(kAsk).after(300ms).answers(kAnswer);
  LineSource line(shop.context, shop.line({Workshop::meter(1, 1s)}));
  shop.run(line, 3900ms);
  ASSERT_EQ(shop.seen.size(), 4u);
  for (std::size_t i = 1; i < 4; ++i)
    EXPECT_EQ(shop.seen[i].arrived - shop.seen[i - 1].arrived, 1s);
}

TEST(LineSource, AsksAgainAfterTheLineHungUp) {
  Workshop shop;
  shop.link.expects(kAsk).answers(kAnswer);
  shop.link.expects(kAsk).hangs_up();
  shop.link.expects(kAsk).answers(kAnswer);
  LineSource line(shop.context, shop.line({Workshop::meter(1, 5s)}));
  shop.run(line, 9s);
  EXPECT_EQ(shop.told(), "230.5 230.5");
  EXPECT_EQ(shop.link.opened(), 2u);
}

TEST(LineSource, TriesAgainAfterSilenceAndAfterDamage) {
  Workshop shop;
  shop.link.expects(kAsk).stays_silent();
  shop.link.expects(kAsk).answers(kAnswer);
  shop.link.expects(kAsk).answers("01 03 04 43 66 80 00 6E 69");
  shop.link.expects(kAsk).answers(kAnswer);
  LineSource line(shop.context, shop.line({Workshop::meter(1, 10s)}));
  shop.run(line, 15s);
  EXPECT_EQ(shop.told(), "230.5 230.5");
}

TEST(LineSource, DoesNotRepeatWhatTheDeviceRefuses) {
  Workshop shop;
  shop.link.expects(kAsk).answers("01 83 02 C0 F1");
  LineSource line(shop.context, shop.line({Workshop::meter(1, 5s)}));
  shop.run(line, 1s);
  EXPECT_EQ(shop.told(), "exception_2");
  EXPECT_TRUE(shop.seen.at(0).online);  // an exception proves that the device is alive
}

TEST(LineSource, WaitsForABusyDevice) {
  Workshop shop;
  shop.link.expects(kAsk).answers("01 83 06 C1 32");
  shop.link.expects(kAsk).answers(kAnswer);
  LineSource line(shop.context, shop.line({Workshop::meter(1, 5s)}));
  shop.run(line, 1s);
  EXPECT_EQ(shop.told(), "230.5");
}

TEST(LineSource, TellsASilentDeviceAndProbesItOnce) {
  Workshop shop;
  shop.link.expects(kAsk).stays_silent();
  shop.link.expects(kAsk)
      .stays_silent();  // the one retry of a device that is not known to be silent
  shop.link.expects(kAsk).stays_silent();  // a probe
  shop.link.expects(kAsk).answers(kAnswer);
  LineSource line(shop.context, shop.line({Workshop::meter(1, 5s)}));
  shop.run(line, 24s);  // at 0 s, 10 s and 20 s: the back-off leaves out every other time
  EXPECT_EQ(shop.told(), "timeout timeout 230.5");
  EXPECT_FALSE(shop.seen.at(0).online);
  EXPECT_TRUE(shop.seen.at(2).online);
}

// Where others wait a device that was never heard has one try; the first one on a line that was
// opened into what somebody said is none.
TEST(LineSource, TriesOnceMoreWhenTheFirstAnswerOnALineWasTornByAnOldOne) {
  Workshop shop;
  shop.link.expects(kAsk).after(10ms).answers("43 66 80 00 43 66 80");
  // The other one was waiting.
  shop.link.expects("02 03 00 00 00 02 C4 38").answers("02 03 04 43 66 80 00 5D 68");
  shop.link.expects(kAsk).answers(kAnswer);
  auto setup = shop.line({Workshop::meter(1, 30s), Workshop::meter(2, 30s)});
  LineSource line(shop.context, setup);
  shop.run(line, 5s);
  EXPECT_EQ(shop.told(), "230.5 230.5");
}

TEST(LineSource, NoiseLaterOnIsNoReasonToAskOnceMore) {
  Workshop shop;
  shop.link.expects(kAsk).answers(kAnswer);
  shop.link.expects("02 03 00 00 00 02 C4 38").after(10ms).answers("43 66 80 00 43 66 80");
  auto setup = shop.line({Workshop::meter(1, 30s), Workshop::meter(2, 30s)});
  LineSource line(shop.context, setup);
  shop.run(line, 800ms);
  EXPECT_EQ(shop.told(), "230.5 timeout");
}

TEST(LineSource, ADeadDeviceDoesNotHoldTheLine) {
  constexpr const char* kAskOther = "02 03 00 00 00 02 C4 38";
  constexpr const char* kOtherAnswers = "02 03 04 43 66 80 00 5D 68";
  Workshop shop;
  shop.link.expects(kAsk).stays_silent();  // one probe, briefly, and no other for long
  for (int i = 0; i < 4; ++i) shop.link.expects(kAskOther).answers(kOtherAnswers);
  LineSource line(shop.context, shop.line({Workshop::meter(1, 5s), Workshop::meter(2, 5s)}));
  shop.run(line, 19s);
  std::size_t good = 0;
  for (const auto& readings : shop.seen) good += readings.online ? 1 : 0;
  EXPECT_EQ(good, 4u);
}

TEST(LineSource, ReadsOneByOneWhereAGapIsRefused) {
  Workshop shop;
  auto meter = Workshop::meter(1, 10s);
  meter.points.push_back({"frequency", "Hz", {Space::holding, 6, 1}, modbus::PointSpec{}, {}});
  meter.limits.max_gap = 8;
  shop.link.expects("01 03 00 00 00 07 04 08").answers("01 83 02 C0 F1");
  for (int i = 0; i < 3; ++i) {  // to find the reason, and for two polls
    shop.link.expects(kAsk).answers(kAnswer);
    shop.link.expects("01 03 00 06 00 01 64 0B").answers("01 03 02 00 32 39 91");
  }
  LineSource line(shop.context, shop.line({meter}));
  shop.run(line, 15s);
  EXPECT_EQ(shop.told(), "230.5 50 230.5 50");
}

TEST(LineSource, CountsTimesThatWentByAsOverruns) {
  Workshop shop;
  for (int i = 0; i < 3; ++i) shop.link.expects(kAsk).after(600ms).answers(kAnswer);
  LineSource line(shop.context, shop.line({Workshop::meter(1, 200ms)}));
  shop.run(line, 1790ms);
  EXPECT_NE(
      shop.metrics.prometheus().find("lightship_modbus_overruns_total{device=\"panel/meter-1\"} 4"),
      std::string::npos)
      << shop.metrics.prometheus();
}

TEST(LineSource, ALateAnswerIsNotTakenForAnotherBlock) {
  Workshop shop;
  auto meter = Workshop::meter(1, 1s);
  meter.points.push_back({"other", "", {Space::holding, 100, 2}, meter.points[0].spec, {}});
  auto setup = shop.line({meter});
  setup.retries = 0;
  // The first block's answer comes when the second one is already asked for, with the same form.
  shop.link.expects(kAsk).answers(kAnswer);
  shop.link.expects("01 03 00 64 00 02 85 D4").stays_silent();
  shop.link.expects(kAsk).answers("01 03 04 3F 80 00 00 F7 CF").answers(kAnswer);
  shop.link.expects("01 03 00 64 00 02 85 D4").answers("01 03 04 40 00 00 00 EF F3");
  LineSource line(shop.context, setup);
  shop.run(line, 1900ms);
  // 1.0 was the late answer to block 100 and must not become voltage_l1.
  EXPECT_EQ(shop.told(), "230.5 timeout 230.5 2");
}

TEST(LineSource, AnswersAReaderBetweenThePolls) {
  Workshop shop;
  shop.link.expects(kAsk).answers(kAnswer);
  shop.link.expects("01 04 00 0A 00 01 11 C8").answers("01 04 02 00 2A 38 EF");
  LineSource line(shop.context, shop.line({Workshop::meter(1, 5s)}));
  Result<ByteVector> got = fail(Errc::timeout, "nothing");
  TaskGroup group(shop.loop.get_executor());
  group.spawn(Workshop::keep(line));
  shop.clock.advance(1s);
  asio::co_spawn(shop.loop, line.read_registers(DeviceId{0}, Space::input, 10, 1, 1s),
                 [&](std::exception_ptr, Result<ByteVector> answer) { got = std::move(answer); });
  shop.clock.advance(1s);
  group.cancel();
  shop.clock.settle();
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_EQ(to_hex(*got), "00 2A");
}

// Two blocks are due; between them the request of somebody else goes first.
TEST(LineSource, SendsARequestForOthersBeforeThePollsThatWait) {
  Workshop shop;
  auto meter = Workshop::meter(1, 5s);
  meter.points.push_back({"other", "", {Space::holding, 100, 2}, meter.points[0].spec, {}});
  shop.link.expects(kAsk).after(100ms).answers(kAnswer);
  shop.link.expects("01 06 00 05 00 07 D8 09").answers("01 06 00 05 00 07 D8 09");
  shop.link.expects("01 03 00 64 00 02 85 D4").answers("01 03 04 40 00 00 00 EF F3");
  LineSource line(shop.context, shop.line({meter}));
  Result<ByteVector> got = fail(Errc::timeout, "nothing");
  TaskGroup group(shop.loop.get_executor());
  group.spawn(Workshop::keep(line));
  shop.clock.advance(50ms);
  asio::co_spawn(shop.loop, line.ask_for(DeviceId{0}, modbus::WriteRegister{5, 7}, 1s),
                 [&](std::exception_ptr, Result<ByteVector> answer) { got = std::move(answer); });
  shop.clock.advance(1s);
  group.cancel();
  shop.clock.settle();
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_EQ(to_hex(*got), "06 00 05 00 07");
}

// It may have been done before the line was lost.
TEST(LineSource, DoesNotSendAWriteASecondTimeOnANewLine) {
  Workshop shop;
  shop.link.expects(kAsk).answers(kAnswer);
  shop.link.expects("01 06 00 05 00 07 D8 09").hangs_up();
  LineSource line(shop.context, shop.line({Workshop::meter(1, 5s)}));
  Result<ByteVector> got = ByteVector{};
  TaskGroup group(shop.loop.get_executor());
  group.spawn(Workshop::keep(line));
  shop.clock.advance(1s);
  asio::co_spawn(shop.loop, line.ask_for(DeviceId{0}, modbus::WriteRegister{5, 7}, 1s),
                 [&](std::exception_ptr, Result<ByteVector> answer) { got = std::move(answer); });
  shop.clock.advance(1s);
  group.cancel();
  shop.clock.settle();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::closed);
}

TEST(LineSource, EndsTheReadsOfOthersWhenItStops) {
  Workshop shop;
  shop.link.expects(kAsk).answers(kAnswer);
  shop.link.expects("01 04 00 0A 00 01 11 C8").stays_silent();
  auto line = std::make_unique<LineSource>(shop.context, shop.line({Workshop::meter(1, 5s)}));
  std::vector<Result<ByteVector>> told;
  const auto hear = [&](std::exception_ptr, Result<ByteVector> answer) {
    told.push_back(std::move(answer));
  };
  TaskGroup group(shop.loop.get_executor());
  group.spawn(Workshop::keep(*line));
  shop.clock.advance(1s);
  // One is on the line, the other waits for its turn.
  for (int i = 0; i < 2; ++i) {
    asio::co_spawn(shop.loop, line->read_registers(DeviceId{0}, Space::input, 10, 1, 30s), hear);
  }
  shop.clock.advance(100ms);
  group.cancel();
  shop.clock.settle();
  line.reset();
  shop.clock.advance(60s);
  ASSERT_EQ(told.size(), 2u);
  for (const auto& answer : told) EXPECT_FALSE(answer);
  EXPECT_EQ(shop.link.opened(), 1u);
}

}  // namespace
}  // namespace lightship::poller
