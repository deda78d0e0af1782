// Writes in registers: judged by the points that they touch, answered in the asker's words.
#include <gmock/gmock.h>

#include "sources/modbus/testing/writing.h"

namespace lightship::poller {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(WriteRaw, GoesToTheDeviceInAllItsFunctions) {
  Writing press;
  EXPECT_EQ(press.raw("06 00 14 00 2A"), "06 00 14 00 2A");
  EXPECT_EQ(press.raw("10 00 16 00 02 04 43 66 40 00"), "10 00 16 00 02");
  EXPECT_EQ(press.raw("05 00 03 FF 00"), "05 00 03 FF 00");
  EXPECT_EQ(press.raw("0F 00 08 00 03 01 05"), "0F 00 08 00 03");
  EXPECT_EQ(press.raw("16 00 1E FF FB 00 04"), "16 00 1E FF FB 00 04");
  EXPECT_EQ(press.raw("17 00 14 00 01 00 15 00 01 02 00 09"), "17 02 00 2A");
  const auto& map = press.device.map;
  EXPECT_EQ(map.holding[20], 42);
  EXPECT_EQ(map.holding[21], 9);
  EXPECT_EQ(map.holding[22], 0x4366);
  EXPECT_EQ(map.holding[30], 4);
  EXPECT_TRUE(map.coils[3] && map.coils[8] && !map.coils[9] && map.coils[10]);
}

TEST(WriteRaw, IsAuditedWithItsRegisters) {
  Writing press;
  press.shop.cache.image(press.id).store(Space::holding, 20, 1, hex("00 07"),
                                         press.shop.clock.mono());
  press.raw("06 00 14 00 2A");
  ASSERT_EQ(press.audit.lines.size(), 2U);
  EXPECT_THAT(
      press.audit.lines[0],
      HasSubstr(R"("by":"gateway 192.0.2.7","device":"hall/press","space":"holding","at":20)"));
  EXPECT_THAT(press.audit.lines[1],
              HasSubstr(R"("new_raw":["002A"],"old_raw":["0007"],"read_back_raw":["002A"])"));
}

TEST(WriteRaw, IsRefusedAsAnUnknownFunctionWhereTheDeviceAllowsNone) {
  auto setup = Writing::press();
  setup.allow_write = false;
  Writing press(std::move(setup));
  EXPECT_EQ(press.raw("06 00 14 00 2A"), "exception 1");
  EXPECT_TRUE(press.device.asked.empty());
}

TEST(WriteRaw, IsRefusedByARangeAStepOrAClosedRegister) {
  Writing press;
  EXPECT_EQ(press.raw("06 00 14 00 5B"), "exception 3");  // setpoint 91
  EXPECT_EQ(press.raw("10 00 13 00 02 04 00 00 00 5B"), "exception 3");
  EXPECT_EQ(press.raw("06 00 28 00 01"), "exception 2");                 // serial
  EXPECT_EQ(press.raw("10 00 27 00 02 04 00 01 00 01"), "exception 2");  // and a free one
  EXPECT_EQ(press.device.map.holding[20], 0);
  EXPECT_EQ(press.device.map.holding[39], 0);
  EXPECT_THAT(press.audit.lines.back(), HasSubstr("serial stands there, and says writable: false"));
}

TEST(WriteRaw, JudgesAPointWrittenInPartByWhatItWouldHold) {
  auto setup = Writing::press();
  // flow, two registers
  setup.points.own()[2].write = std::make_shared<const WriteRule>(WriteRule{.most = 300});
  Writing press(std::move(setup));
  press.device.map.holding[22] = 0x4366;
  press.device.map.holding[23] = 0x4000;
  EXPECT_EQ(press.raw("06 00 17 00 00"), "06 00 17 00 00");
  EXPECT_EQ(press.raw("06 00 16 47 00"), "exception 3");
  EXPECT_EQ(press.raw("16 00 16 FF FF 00 00"), "16 00 16 FF FF 00 00");
}

TEST(WriteRaw, OfARegisterThatIsNoPointGoesThrough) {
  Writing press;
  EXPECT_EQ(press.raw("06 00 5A 12 34"), "06 00 5A 12 34");
  EXPECT_EQ(press.device.map.holding[90], 0x1234);
}

TEST(WriteRaw, IsTranslatedForADeviceThatKnowsTheOtherFunction) {
  Writing press;
  press.device.refused = {6};
  EXPECT_EQ(press.raw("06 00 5A 12 34"), "06 00 5A 12 34");
  EXPECT_EQ(press.device.map.holding[90], 0x1234);
  press.device.asked.clear();
  press.raw("06 00 5A 12 35");
  EXPECT_EQ(press.device.asked[0], "write 1 register at 90");  // learned
}

TEST(WriteRaw, PassesTheDevicesOwnExceptionOn) {
  Writing press;
  EXPECT_EQ(press.raw("06 00 C8 00 01"), "exception 2");  // past its memory
  press.device.exception = 4;
  EXPECT_EQ(press.raw("06 00 14 00 01"), "exception 4");
}

TEST(WriteRaw, WithoutAnAnswerIsLookedUpAndNotRepeated) {
  Writing press;
  press.device.loses = DeviceInMemory::Loses::the_answer;
  EXPECT_EQ(press.raw("10 00 14 00 02 04 00 2A 00 01"), "10 00 14 00 02");
  press.device.loses = DeviceInMemory::Loses::the_request;
  EXPECT_EQ(press.raw("06 00 14 00 2B"), "no answer within 1 s");
  EXPECT_EQ(std::ranges::count(press.device.asked, "write register 20 = 43"), 1);
}

TEST(WriteRaw, OfTooManyAtOnceIsBusy) {
  auto setup = Writing::press();
  setup.max_writes_per_minute = 2;
  Writing press(std::move(setup));
  press.raw("06 00 5A 00 01", 0s);
  press.raw("06 00 5A 00 02", 0s);
  EXPECT_EQ(press.raw("06 00 5A 00 03", 0s), "exception 6");
}

}  // namespace
}  // namespace lightship::poller
