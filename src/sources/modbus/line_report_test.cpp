// What overheard frames add up to.
#include "sources/modbus/line_report.h"

#include <gtest/gtest.h>

#include "base/hex.h"
#include "codec/modbus/listener.h"
#include "codec/modbus/rtu.h"

namespace lightship::poller {
namespace {

using namespace std::chrono_literals;

// Frames at the times that are given, each told to the report.
struct Line {
  modbus::rtu::Listener listener{{}};
  LineReport report;

  void frame(std::chrono::nanoseconds at, std::uint8_t unit, std::string_view pdu) {
    listener.feed(modbus::rtu::frame(unit, hex(pdu)), at);
    while (const auto heard = listener.next()) report.take(*heard);
  }
  void noise(std::chrono::nanoseconds at, std::string_view bytes) {
    listener.feed(hex(bytes), at);
    listener.flush();
    while (const auto heard = listener.next()) report.take(*heard);
  }
};

TEST(LineReport, KnowsWhoAnswersAndHowFast) {
  Line line;
  for (int i = 0; i < 10; ++i) {
    line.frame(i * 1s, 1, "03 00 00 00 01");
    line.frame(i * 1s + 20ms, 1, "03 02 00 07");
  }
  const auto& unit = line.report.units().at(1);
  EXPECT_EQ(unit.requests, 10u);
  EXPECT_EQ(unit.answers, 10u);
  EXPECT_EQ(unit.unanswered, 0u);
  EXPECT_EQ(unit.answer_times.quantile(0.5), 20ms);
  EXPECT_EQ(unit.answer_times.max(), 20ms);
}

TEST(LineReport, CountsSilenceRepetitionAndExceptions) {
  Line line;
  line.frame(0s, 9, "03 00 00 00 01");
  line.frame(1s, 9, "03 00 00 00 01");
  line.frame(2s, 1, "04 00 00 00 01");
  line.frame(2020ms, 1, "84 02");
  EXPECT_EQ(line.report.units().at(9).unanswered, 2u);
  EXPECT_EQ(line.report.units().at(9).repeated, 1u);
  EXPECT_EQ(line.report.units().at(1).exceptions.at(2), 1u);
  EXPECT_EQ(line.report.units().at(1).unanswered, 0u);
}

TEST(LineReport, KnowsWhatIsPolledAndHowOften) {
  Line line;
  for (int i = 0; i < 5; ++i) line.frame(i * 2s, 3, "03 00 64 00 0A");
  line.frame(9s, 3, "04 00 00 00 02");
  const auto& asked = line.report.asked();
  ASSERT_EQ(asked.size(), 2u);
  // The same request again without an answer counts as one try more, not as a further poll.
  EXPECT_EQ(asked.at({3, 3, 100, 10}).times, 1u);
  EXPECT_FALSE(asked.at({3, 4, 0, 2}).interval());
}

TEST(LineReport, MeasuresTheTimeBetweenPolls) {
  Line line;
  for (int i = 0; i < 5; ++i) {
    line.frame(i * 2s, 3, "03 00 64 00 01");
    line.frame(i * 2s + 10ms, 3, "03 02 00 00");
  }
  EXPECT_EQ(line.report.asked().at({3, 3, 100, 1}).interval(), 2s);
}

TEST(LineReport, MeasuresHowFullTheLineIs) {
  Line line;
  line.frame(0s, 1, "03 00 00 00 01");  // 8 characters
  line.noise(1s, "00 FF");
  EXPECT_EQ(line.report.noise_bytes(), 2u);
  EXPECT_DOUBLE_EQ(line.report.load(1ms, 1s), 0.01);
}

TEST(AnswerTimes, ForgetsEvenlyAndKeepsTheSlowest) {
  AnswerTimes times;
  for (int i = 1; i <= 100'000; ++i) times.add(std::chrono::microseconds(i));
  EXPECT_EQ(times.count(), 100'000u);
  EXPECT_EQ(times.max(), 100ms);
  EXPECT_NEAR(static_cast<double>(times.quantile(0.5).count()), 50e6, 1e6);
  EXPECT_NEAR(static_cast<double>(times.quantile(0.95).count()), 95e6, 1e6);
}

}  // namespace
}  // namespace lightship::poller
