// Writes by name: what is refused, what is sent, and what is said when the device is strange.
#include <gmock/gmock.h>

#include "sources/modbus/testing/writing.h"

namespace lightship::poller {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(WritePoint, ReadsWritesAndReadsBack) {
  Writing press;
  press.device.map.holding[20] = 7;
  EXPECT_EQ(press.write("setpoint", "42"), "now 42, was 7");
  EXPECT_EQ(press.device.map.holding[20], 42);
  EXPECT_THAT(press.device.asked,
              ElementsAre("read 1 holding register at 20", "write register 20 = 42",
                          "read 1 holding register at 20"));
}

TEST(WritePoint, IsInTheAuditBeforeItIsSentAndWhenItHasEnded) {
  Writing press;
  press.device.map.holding[20] = 7;
  press.write("setpoint", "42");
  ASSERT_EQ(press.audit.lines.size(), 2U);
  EXPECT_THAT(press.audit.lines[0], HasSubstr(R"("event":"write","state":"asked")"));
  EXPECT_THAT(press.audit.lines[0], HasSubstr(R"("point":"setpoint")"));
  EXPECT_THAT(press.audit.lines[0], HasSubstr(R"("new":42)"));
  EXPECT_THAT(press.audit.lines[1], HasSubstr(R"("state":"ended","outcome":"written")"));
  EXPECT_THAT(press.audit.lines[1], HasSubstr(R"("function":6)"));
  EXPECT_THAT(press.audit.lines[1], HasSubstr(R"("old":7,"read_back":42)"));
}

TEST(WritePoint, SendsNothingThatCannotBeAudited) {
  Writing press;
  press.audit.full = true;
  EXPECT_EQ(press.write("setpoint", "42"), "nothing was sent, because no space left on device");
  EXPECT_THAT(press.device.asked, ElementsAre("read 1 holding register at 20"));
}

TEST(WritePoint, IsOffUnlessDeviceAndRegisterSayOtherwise) {
  auto setup = Writing::press();
  setup.allow_write = false;
  Writing closed(std::move(setup));
  EXPECT_THAT(closed.write("setpoint", "42"), HasSubstr("says allow_write: true"));
  EXPECT_EQ(closed.error.detail, kWriteNotAllowed);
  EXPECT_TRUE(closed.device.asked.empty());
  ASSERT_EQ(closed.audit.lines.size(), 1U);
  EXPECT_THAT(closed.audit.lines[0], HasSubstr(R"("outcome":"refused")"));

  Writing press;
  EXPECT_EQ(press.write("serial", "1"),
            "serial is not writable: its register says no writable: true");
  EXPECT_EQ(press.write("measured", "1"),
            "measured is read with function 4, and such registers cannot be written");
  EXPECT_TRUE(press.device.asked.empty());
}

TEST(WritePoint, NeverSendsABroadcast) {
  auto setup = Writing::press();
  setup.info.unit = 0;
  Writing press(std::move(setup));
  EXPECT_THAT(press.write("setpoint", "42"), HasSubstr("broadcast"));
  EXPECT_TRUE(press.device.asked.empty());
}

TEST(WritePoint, RefusesAValueOutsideItsRangeOrBetweenItsSteps) {
  auto setup = Writing::press();
  setup.points.own()[0].spec.scale = 0.1;
  Writing press(std::move(setup));
  EXPECT_EQ(press.write("setpoint", "90.5"), "90.5 is outside the range 0 to 90");
  EXPECT_EQ(press.write("setpoint", "-0.5"), "-0.5 is outside the range 0 to 90");
  EXPECT_EQ(press.write("setpoint", "21.3"),
            "21.3 is not on a step of 0.5 from 0; the nearest is 21.5");
  EXPECT_EQ(press.error.detail, kWriteBadValue);
  EXPECT_TRUE(press.device.asked.empty());
  EXPECT_EQ(press.write("setpoint", "21.5"), "now 21.5, was 0");
}

TEST(WritePoint, RefusesWhatTheTypeCannotHold) {
  Writing press;
  EXPECT_EQ(press.write("setpoint", "NaN"),
            "'NaN' is no number that can be written (such as 42, -1.5 or 0x2A)");
  EXPECT_EQ(press.write("flow", "inf"),
            "'inf' is no number that can be written (such as 42, -1.5 or 0x2A)");
  EXPECT_EQ(press.write("flow", "1e39"), "1e+39 does not fit float32");
  EXPECT_EQ(press.write("heat", "23.14"),
            "23.14 cannot be held by int16 in steps of 0.1; the nearest is 23.1");
  EXPECT_EQ(press.write("run", "2"), "'2' is neither true nor false");
  EXPECT_EQ(press.write("wear", "warm"),
            "'warm' is no number that can be written (such as 42, -1.5 or 0x2A)");
  EXPECT_EQ(press.write("wear", "12.5"), "12.5 cannot be held by uint16; the nearest is 12");
  EXPECT_TRUE(press.device.asked.empty());
}

TEST(WritePoint, WritesOnlyOverTheExpectedValue) {
  Writing press;
  press.device.map.holding[20] = 7;
  EXPECT_EQ(press.write("setpoint", "42", "8"),
            "setpoint holds 7, not the expected 8: nothing was written");
  EXPECT_EQ(press.error.detail, kWriteNotExpected);
  EXPECT_EQ(press.device.map.holding[20], 7);
  EXPECT_EQ(press.write("setpoint", "42", "7"), "now 42, was 7");
}

TEST(WritePoint, WritesFloatsScaledNumbersAndCoils) {
  Writing press;
  EXPECT_EQ(press.write("flow", "230.25"), "now 230.25, was 0");
  EXPECT_EQ(press.device.map.holding[22], 0x4366);
  EXPECT_EQ(press.write("heat", "-3.5"), "now -3.5, was 0");
  EXPECT_EQ(press.device.map.holding[21], 0xFFDD);
  EXPECT_EQ(press.write("run", "on"), "now true, was false");
  EXPECT_TRUE(press.device.map.coils[3]);
  EXPECT_EQ(press.device.asked[press.device.asked.size() - 2], "write coil 3 on");
}

TEST(WritePoint, ScalesByTheRegisterThatTheDeviceHolds) {
  Writing press;
  press.device.map.holding[51] = 0xFFFE;  // hundredths
  EXPECT_EQ(press.write("power", "-12.34"), "now -12.34, was 0");
  EXPECT_EQ(static_cast<std::int16_t>(press.device.map.holding[50]), -1234);
}

TEST(WritePoint, TakesTheFunctionThatTheDeviceTakesAndRemembersIt) {
  Writing press;
  press.device.refused = {6, 5};
  EXPECT_EQ(press.write("setpoint", "42"), "now 42, was 0");
  EXPECT_EQ(press.write("run", "true"), "now true, was false");
  press.device.asked.clear();
  EXPECT_EQ(press.write("setpoint", "43"), "now 43, was 42");
  EXPECT_THAT(press.device.asked,
              ElementsAre("read 1 holding register at 20", "write 1 register at 20",
                          "read 1 holding register at 20"));
}

TEST(WritePoint, ChangesABitWithoutTouchingItsNeighbours) {
  Writing press;
  press.device.map.holding[30] = 0xF001;
  EXPECT_EQ(press.write("valve", "true"), "now true, was false");
  EXPECT_EQ(press.device.map.holding[30], 0xF005);
  EXPECT_EQ(press.device.asked[1], "mask register 30 with FFFB 0004");

  press.device.refused = {22};
  EXPECT_EQ(press.write("valve", "false"), "now false, was true");
  EXPECT_EQ(press.device.map.holding[30], 0xF001);
  press.device.asked.clear();
  press.write("valve", "true");
  EXPECT_EQ(press.device.asked[1], "write register 30 = 61445");  // not tried again
}

TEST(WritePoint, PassesTheDevicesExceptionOn) {
  Writing press;
  press.device.exception = 4;
  EXPECT_THAT(press.write("setpoint", "42"), HasSubstr("exception 4"));
  EXPECT_EQ(press.error.code, Errc::refused);
  EXPECT_THAT(press.audit.lines.back(), HasSubstr(R"("outcome":"exception")"));
  EXPECT_THAT(press.audit.lines.back(), HasSubstr(R"("exception":4)"));
}

TEST(WritePoint, AsksABusyDeviceAgainAndWaitsForASlowOne) {
  Writing press;
  press.device.exception = 6;
  EXPECT_EQ(press.write("setpoint", "42"), "now 42, was 0");
  press.device.exception = 5;
  EXPECT_EQ(press.write("setpoint", "43"), "now 43, was 42");
}

TEST(WritePoint, TellsOfADeviceThatTakesAWriteAndHoldsSomethingElse) {
  Writing press;
  press.device.map.holding[20] = 7;
  press.device.forgets = true;
  EXPECT_EQ(press.write("setpoint", "42"), "setpoint took the write of 42 and holds 7");
  EXPECT_EQ(press.error.code, Errc::malformed);
  EXPECT_THAT(press.audit.lines.back(), HasSubstr(R"("outcome":"mismatch")"));
  EXPECT_THAT(press.audit.lines.back(), HasSubstr(R"("read_back":7)"));
}

TEST(WritePoint, LearnsByReadingWhatBecameOfAWriteWithoutAnswer) {
  Writing press;
  press.device.map.holding[20] = 7;
  press.device.loses = DeviceInMemory::Loses::the_answer;
  EXPECT_EQ(press.write("setpoint", "42"), "now 42, was 7");
  EXPECT_THAT(press.audit.lines.back(), HasSubstr("reading back shows it written"));

  press.device.loses = DeviceInMemory::Loses::the_request;
  press.device.asked.clear();
  EXPECT_EQ(press.write("setpoint", "43"),
            "no answer to the write (no answer within 1 s), and setpoint holds 42: it was not "
            "written, and is not tried again");
  EXPECT_EQ(std::ranges::count(press.device.asked, "write register 20 = 43"), 1);

  press.device.loses = DeviceInMemory::Loses::the_answer;
  press.device.silent_after = true;
  EXPECT_THAT(press.write("setpoint", "44"),
              HasSubstr("whether setpoint was written is not known"));
  EXPECT_EQ(press.error.code, Errc::timeout);
}

TEST(WritePoint, SendsNothingToADeviceThatIsSilent) {
  Writing press;
  press.device.silent = true;
  EXPECT_THAT(press.write("setpoint", "42"), HasSubstr("nothing was sent"));
  EXPECT_EQ(press.error.code, Errc::timeout);
  press.device.unreachable = true;
  EXPECT_THAT(press.write("setpoint", "42"), HasSubstr("cannot connect"));
  EXPECT_EQ(press.error.code, Errc::unavailable);
}

TEST(WritePoint, IsLimitedInItsRate) {
  auto setup = Writing::press();
  setup.max_writes_per_minute = 3;
  Writing press(std::move(setup));
  press.write("wear", "1", {}, 1s);
  EXPECT_THAT(press.write("wear", "2", {}, 1s), HasSubstr("wear may be written once in 10.0 s"));
  EXPECT_EQ(press.error.detail, kWriteTooOften);
  press.write("heat", "1", {}, 0s);
  press.write("heat", "2", {}, 0s);
  EXPECT_THAT(press.write("heat", "3", {}, 0s), HasSubstr("max_writes_per_minute"));
  press.shop.clock.advance(20s);
  EXPECT_EQ(press.write("heat", "3"), "now 3, was 2");
}

TEST(WritePoint, TakesNumbersAsPeopleWriteThem) {
  for (const auto& [text, held] : std::vector<std::pair<const char*, int>>{{"+7", 7},
                                                                           {" 8 ", 8},
                                                                           {"0x10", 16},
                                                                           {"0X2a", 42},
                                                                           {"+0x11", 17},
                                                                           {"1e1", 10},
                                                                           {"+2.0", 2}}) {
    Writing press;
    EXPECT_EQ(press.write("setpoint", text), fmt::format("now {}, was 0", held)) << text;
  }
  Writing press;
  EXPECT_EQ(press.write("power", "-0x10"), "now -16, was 0");
  for (const auto* text : {"+", "-", "0x", "+-7", "-+7", "++7", "0x1g", "0x-1", "7x", "1,5",
                           "0x10000000000000000", "-0x8000000000000000"})
    EXPECT_THAT(press.write("setpoint", text), HasSubstr("is no number that can be written"))
        << text;
}

// The audit of the one that was there before is read by the one that comes after.
TEST(WritePoint, IsLimitedInItsRateOverARestart) {
  auto setup = Writing::press();
  setup.max_writes_per_minute = 3;
  Writing before(setup);
  before.write("wear", "1", {}, 1s);
  before.write("heat", "1", {}, 0s);
  before.write("heat", "2", {}, 0s);

  Writing press(setup);
  press.shop.clock.advance(2s);
  press.audit.lines = before.audit.lines;
  EXPECT_EQ(
      press.write("wear", "2", {}, 0s),
      "hall/press was written 3 times within a minute (max_writes_per_minute); the next write "
      "may go in 18.0 s");
  press.shop.clock.advance(2s);
  EXPECT_THAT(press.write("heat", "3", {}, 0s), HasSubstr("max_writes_per_minute"));
  EXPECT_TRUE(press.device.asked.empty());

  Writing later(std::move(setup));
  later.shop.clock.advance(5s);
  later.audit.lines = {before.audit.lines[0], before.audit.lines[1]};
  EXPECT_THAT(later.write("wear", "2", {}, 0s), HasSubstr("the next write may go in 5.0 s"));
  EXPECT_EQ(later.write("heat", "3", {}, 0s), "now 3, was 0");
  later.shop.clock.advance(5s);
  EXPECT_EQ(later.write("wear", "2", {}, 1s), "now 2, was 0");
}

TEST(WritePoint, SendsNothingWhenNobodyKnowsWhatWasWrittenBefore) {
  Writing press;
  press.audit.unreadable = true;
  EXPECT_EQ(press.write("setpoint", "42"), "nothing was sent, because cannot read the audit");
  EXPECT_TRUE(press.device.asked.empty());
  press.audit.unreadable = false;
  EXPECT_EQ(press.write("setpoint", "42"), "now 42, was 0");
}

TEST(WritePoint, TellsTheHouseAtOnceWhatTheDeviceHolds) {
  Writing press;
  press.shop.cache.image(press.id).store(Space::holding, 20, 1, hex("00 07"),
                                         press.shop.clock.mono());
  press.write("setpoint", "42");
  ByteVector held;
  press.shop.cache.image(press.id).read(Space::holding, 20, 1, MonoTime{}, held);
  EXPECT_EQ(to_hex(held), "00 2A");
  const auto point = *press.shop.catalog.find_point("hall/press/setpoint");
  EXPECT_EQ(to_text(press.shop.cache.point(point).value), "42");
}

TEST(WritePoint, LeavesALineInTheAuditWhenItIsInterrupted) {
  Writing press;
  press.device.takes_long = 5s;
  EXPECT_EQ(press.write("setpoint", "42", {}, 7s), "nobody waits for the write any more");
  TaskGroup end(press.shop.loop.get_executor());
  end.spawn(press.writer.stop());
  press.shop.clock.settle();
  ASSERT_EQ(press.audit.lines.size(), 2U);
  EXPECT_THAT(press.audit.lines[1], HasSubstr("the gateway stopped in the middle"));
}

TEST(WritePoint, DoesNotFillTheAuditWithRefusals) {
  auto setup = Writing::press();
  setup.allow_write = false;
  Writing press(std::move(setup));
  for (int i = 0; i < 500; ++i) press.write("setpoint", "42", {}, 0s);
  EXPECT_EQ(press.audit.lines.size(), RefusalTally::kAtOnce);
  press.shop.clock.advance(1min);
  ASSERT_EQ(press.audit.lines.size(), RefusalTally::kAtOnce + 1);
  EXPECT_THAT(press.audit.lines.back(),
              AllOf(HasSubstr(R"("event":"writes-refused","device":"hall/press")"),
                    HasSubstr(R"("point":"setpoint","count":497,)"), HasSubstr("allow_write")));
  press.shop.clock.advance(10min);
  EXPECT_EQ(press.audit.lines.size(), RefusalTally::kAtOnce + 1);
}

// What is refused for one reason does not hide what is refused for another, or elsewhere.
TEST(WritePoint, CountsRefusalsByTheirPlaceAndReason) {
  Writing press;
  for (int i = 0; i < 100; ++i) press.write("setpoint", "900", {}, 0s);
  press.write("setpoint", "42", Value("7"), 0s);
  EXPECT_THAT(press.audit.lines.back(), HasSubstr("not the expected 7"));
  press.write("serial", "1", {}, 0s);
  EXPECT_THAT(press.audit.lines.back(), HasSubstr("serial"));
  press.shop.clock.advance(70s);
  EXPECT_THAT(press.audit.lines.back(), HasSubstr(R"("count":97)"));
  press.write("setpoint", "900", {}, 0s);
  TaskGroup end(press.shop.loop.get_executor());
  end.spawn(press.writer.stop());
  press.shop.clock.settle();
  EXPECT_EQ(press.audit.lines.size(), RefusalTally::kAtOnce + 3);
}

// Clients that are refused all day, each for several reasons and as wordily as can be.
TEST(WritePoint, ADayOfRefusalsCannotPushAWriteOutOfTheAudit) {
  auto setup = Writing::press();
  for (int i = 0; i < 50; ++i)
    setup.points.own().push_back(Writing::point(fmt::format("limited_{}", i).c_str(),
                                                static_cast<std::uint16_t>(1000 + i),
                                                {.type = modbus::DataType::uint16}, {.most = 9}));
  Writing press(std::move(setup));
  const std::string many(2000, 'x');
  std::string raw = "10 00 14 00 7B F6";
  for (int i = 0; i < 123; ++i) raw += " FF FF";
  for (int minute = 0; minute < 24 * 60; ++minute) {
    for (int i = 0; i < 50; ++i) press.write(fmt::format("limited_{}", i).c_str(), many, {}, 0s);
    press.write("heat", "1", Value("7"), 0s);  // the device holds another value
    press.raw(raw, 0s);
    press.shop.clock.advance(1min);
  }
  std::size_t bytes = 0, longest = 0;
  for (const auto& line : press.audit.lines) {
    bytes += line.size() + 1;
    longest = std::max(longest, line.size());
  }
  EXPECT_LE(longest, 2000U);
  EXPECT_GT(press.audit.lines.size(), 1000U);
  EXPECT_LE(press.audit.lines.size(), 20U + 24 * 60 * 6);
  EXPECT_LT(bytes, 4 * AuditFile::kMostBytes / 2);
}

// A command that is run again and again begins each time with what is in the audit.
TEST(WritePoint, RefusalsBeforeTheStartAreCounted) {
  Writing press;
  for (int i = 0; i < 20; ++i) {
    press.audit.lines.push_back(
        R"({"time":"2026-01-04T11:59:59.000Z","event":"write","state":"ended","outcome":"refused"})");
  }
  press.write("serial", "1", {}, 0s);
  EXPECT_EQ(press.audit.lines.size(), 20U);
  press.shop.clock.advance(1min);
  EXPECT_THAT(press.audit.lines.back(), HasSubstr(R"("count":1)"));
}

}  // namespace
}  // namespace lightship::poller
