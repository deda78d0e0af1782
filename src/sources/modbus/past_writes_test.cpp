// Which lines of the audit bound the writes of today.
#include "sources/modbus/past_writes.h"

#include <gtest/gtest.h>

#include "sources/modbus/testing/writing.h"

namespace lightship::poller {
namespace {

using namespace std::chrono_literals;

constexpr const char* kNow = "2026-01-04T12:00:00.000Z";

struct Reading {
  Reading() { past.watch(setup); }
  void line(const char* time, const char* rest) {
    past.take(fmt::format(R"({{"time":"2026-01-04T{}Z","event":"write",{}}})", time, rest));
  }
  // Of `wear`, the only one with a min_write_interval: place 8.
  std::string wear() {
    const auto& written = past.devices().front().written;
    return written.contains(8) ? to_rfc3339(written.at(8)) : "never";
  }

  DeviceSetup setup = Writing::press();
  PastWrites past{*from_rfc3339(kNow)};
};

TEST(PastWrites, CountFromTheEndOfWhatWasSent) {
  Reading audit;
  audit.line("11:59:50.000", R"("state":"asked","id":"1-1","device":"hall/press","point":"wear")");
  audit.line("11:59:50.400", R"("state":"ended","outcome":"written","id":"1-1",)"
                             R"("device":"hall/press","point":"wear","function":6)");
  EXPECT_EQ(audit.wear(), "2026-01-04T11:59:50.400Z");
  EXPECT_EQ(audit.past.devices().front().recent.size(), 1U);
}

TEST(PastWrites, LeaveOutWhatWasNeverSent) {
  Reading audit;
  audit.line("11:59:50.000", R"("state":"asked","id":"1-1","device":"hall/press","point":"wear")");
  audit.line("11:59:50.400", R"("state":"ended","outcome":"refused","id":"1-1",)"
                             R"("device":"hall/press","point":"wear")");
  audit.line("11:59:51.000", R"("state":"ended","outcome":"refused","id":"1-2",)"
                             R"("device":"hall/press","point":"wear")");
  audit.line("11:59:52.000", R"("state":"ended","id":"1-3","device":"hall/other","point":"wear",)"
                             R"("function":6)");
  EXPECT_EQ(audit.wear(), "never");
  EXPECT_TRUE(audit.past.devices().front().recent.empty());
}

TEST(PastWrites, TakeOneWithoutAnEndForSent) {
  Reading audit;
  audit.line("11:59:50.000", R"("state":"asked","id":"1-1","device":"hall/press","point":"wear")");
  EXPECT_EQ(audit.wear(), "2026-01-04T11:59:50.000Z");
}

TEST(PastWrites, KnowWhichPointsAWriteInRegistersTouches) {
  Reading audit;
  const auto* range = R"("state":"ended","id":"1","device":"hall/press","space":"{}","at":{},)"
                      R"("count":{},"function":16)";
  const auto at = [&](const char* time, const char* space, int first, int count) {
    audit.line(time, fmt::format(fmt::runtime(range), space, first, count).c_str());
  };
  at("11:59:51.000", "holding", 58, 3);
  EXPECT_EQ(audit.wear(), "2026-01-04T11:59:51.000Z");
  at("11:59:52.000", "holding", 58, 2);
  at("11:59:53.000", "holding", 61, 9);
  at("11:59:54.000", "coils", 60, 1);
  EXPECT_EQ(audit.wear(), "2026-01-04T11:59:51.000Z");
  EXPECT_EQ(audit.past.devices().front().recent.size(), 4U);
}

TEST(PastWrites, AreForgottenWhenTheyBoundNothingAndFarInTheFuture) {
  Reading audit;
  const auto* rest =
      R"("state":"ended","id":"1","device":"hall/press","point":"wear","function":6)";
  audit.line("11:57:59.000", rest);
  audit.line("12:05:00.000", rest);
  EXPECT_EQ(audit.wear(), "never");
  audit.line("12:00:20.000", rest);  // the clock was set back a little
  EXPECT_EQ(audit.wear(), kNow);
}

TEST(PastWrites, PassOverLinesThatAreDamaged) {
  Reading audit;
  for (const auto* line : {"", "{", R"({"event":"write"})", R"("event":"write")",
                           R"({"event":"write","device":7,"time":[]})",
                           R"({"event":"write","device":"hall/press","time":"yesterday"})"})
    audit.past.take(line);
  EXPECT_EQ(audit.wear(), "never");
}

}  // namespace
}  // namespace lightship::poller
