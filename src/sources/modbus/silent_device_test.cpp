// How long a silent device is waited for, alone and where others wait for the line.
#include <gtest/gtest.h>

#include "sources/modbus/testing/simulated_bus.h"

namespace lightship::poller {
namespace {

using namespace std::chrono_literals;

constexpr const char* kAsk = "01 03 00 00 00 02 C4 0B";
constexpr const char* kAnswer = "01 03 04 43 66 80 00 6E 68";  // 230.5
constexpr const char* kAskOther = "02 03 00 00 00 02 C4 38";
constexpr const char* kAnswerOther = "02 03 04 43 66 80 00 5D 68";

// The original's own time-out; its three retries are one here.
LineSetup patient_line(Workshop& shop, std::vector<DeviceSetup> devices) {
  auto setup = shop.line(std::move(devices));
  setup.timeout = 3s;
  return setup;
}

TEST(SilentDevice, HoldsASharedLineForHalfASecondAtMost) {
  Workshop shop;
  const auto begun = shop.clock.mono();
  shop.link.expects(kAsk).stays_silent();
  shop.link.expects(kAskOther).answers(kAnswerOther);
  shop.link.expects(kAskOther).answers(kAnswerOther);
  LineSource line(shop.context,
                  patient_line(shop, {Workshop::meter(1, 10s), Workshop::meter(2, 10s)}));
  shop.run(line, 19s);
  std::vector<Duration> late;
  for (const auto& readings : shop.seen) {
    if (readings.online)
      late.push_back(std::chrono::duration_cast<Duration>(readings.arrived - begun) -
                     10s * late.size());
  }
  ASSERT_EQ(late.size(), 2u);
  for (const auto each : late) EXPECT_LT(each, 600ms);
}

TEST(SilentDevice, IsWaitedForAsLongAsAllowedWhereNobodyElseWaits) {
  Workshop shop;
  shop.link.expects(kAsk).after(2s).answers(kAnswer);
  LineSource line(shop.context, patient_line(shop, {Workshop::meter(1, 10s)}));
  shop.run(line, 5s);
  EXPECT_EQ(shop.told(), "230.5");
}

// Its third probe waits as long as is allowed; from then on its 2 s are known.
TEST(SilentDevice, ThatIsOnlySlowIsFoundOnASharedLineToo) {
  Workshop shop;
  SimulatedBus bus(shop);
  bus[1].answer_time = 2s;
  bus[2];
  LineSource line(shop.context,
                  bus.line({SimulatedBus::meter(1, 30s, {0}), SimulatedBus::meter(2, 10s, {0})}));
  shop.run(line, 5min);
  std::size_t good = 0;
  for (const auto& readings : shop.seen) good += readings.device == DeviceId{0} && readings.online;
  EXPECT_GE(good, 4u);
}

}  // namespace
}  // namespace lightship::poller
