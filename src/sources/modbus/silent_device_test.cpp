// How long a silent device is waited for, alone and where others wait for the line.
#include <gtest/gtest.h>

#include "sources/modbus/testing/workshop.h"

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

TEST(SilentDevice, HoldsASharedLineForASecondAtMost) {
  Workshop shop;
  const auto begun = shop.clock.mono();
  shop.link.expects(kAsk).stays_silent();
  shop.link.expects(kAskOther).answers(kAnswerOther);
  shop.link.expects(kAsk).stays_silent();  // the retry, after the other had its turn
  shop.link.expects(kAsk).stays_silent();  // at 10 s one probe
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
  for (const auto each : late) EXPECT_LT(each, 1100ms);
}

TEST(SilentDevice, IsWaitedForAsLongAsAllowedWhereNobodyElseWaits) {
  Workshop shop;
  shop.link.expects(kAsk).after(2s).answers(kAnswer);
  LineSource line(shop.context, patient_line(shop, {Workshop::meter(1, 10s)}));
  shop.run(line, 5s);
  EXPECT_EQ(shop.told(), "230.5");
}

TEST(SilentDevice, ThatIsOnlySlowIsFoundOnASharedLineToo) {
  Workshop shop;
  for (int probe = 0; probe < 8; ++probe) {
    shop.link.expects(kAsk).stays_silent();
    shop.link.expects(kAskOther).answers(kAnswerOther);
    if (probe == 0)
      shop.link.expects(kAsk).stays_silent();  // the retry of one that is not known to be silent
  }
  shop.link.expects(kAsk).after(2s).answers(kAnswer);  // from now on its 2 s are known
  shop.link.expects(kAskOther).answers(kAnswerOther);
  shop.link.expects(kAsk).after(2s).answers(kAnswer);
  shop.link.expects(kAskOther).answers(kAnswerOther);
  LineSource line(shop.context,
                  patient_line(shop, {Workshop::meter(1, 10s), Workshop::meter(2, 10s)}));
  shop.run(line, 99s);
  std::size_t good = 0;
  for (const auto& readings : shop.seen) good += readings.online ? 1 : 0;
  EXPECT_EQ(good, 12u);
}

}  // namespace
}  // namespace lightship::poller
