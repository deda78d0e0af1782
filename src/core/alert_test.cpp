// The board: raised once, cleared once, told in order.
#include "core/alert.h"

#include <gtest/gtest.h>

#include "base/manual_clock.h"

namespace lightship {
namespace {

struct Board : testing::Test {
  asio::io_context loop;
  ManualClock clock{loop};
  Alerts alerts{clock};
  std::string told_since(std::uint64_t last) {
    std::string text;
    for (const auto& alert : alerts.changes_since(last).second)
      text += alert.rule + ":" + std::string(to_string(alert.state)) + " ";
    return text;
  }
};

TEST_F(Board, TellsARaisedAlertOnce) {
  alerts.raise({.rule = "disk-full"});
  alerts.raise({.rule = "disk-full", .text = "still"});
  EXPECT_EQ(told_since(0), "disk-full:raised ");
  ASSERT_EQ(alerts.active().size(), 1u);
  EXPECT_EQ(alerts.active()[0].text, "still");
}

TEST_F(Board, TellsAgainWhenItGetsWorse) {
  alerts.raise({.rule = "disk-full"});
  alerts.raise({.rule = "disk-full", .severity = Alert::Severity::critical});
  EXPECT_EQ(told_since(1), "disk-full:raised ");
}

TEST_F(Board, ClearsWhatIsRaisedAndNothingElse) {
  alerts.clear("disk-full");
  EXPECT_EQ(told_since(0), "");
  alerts.raise({.rule = "disk-full"});
  EXPECT_TRUE(alerts.acknowledge("disk-full"));
  EXPECT_FALSE(alerts.acknowledge("disk-full"));
  alerts.clear("disk-full");
  EXPECT_EQ(told_since(0), "disk-full:raised disk-full:acknowledged disk-full:cleared ");
  EXPECT_TRUE(alerts.active().empty());
}

TEST_F(Board, CountsAsPassedWhatEveryReaderThatIsThereHasTaken) {
  for (const char* rule : {"a", "b", "c"}) alerts.raise({.rule = rule});
  EXPECT_EQ(alerts.passed(), 3u);
  const auto first = std::make_shared<std::uint64_t>(2),
             second = std::make_shared<std::uint64_t>(1);
  const auto one = alerts.follow(first);
  {
    const auto other = alerts.follow(second);
    EXPECT_EQ(alerts.passed(), 1u);
    *second = 3;
    EXPECT_EQ(alerts.passed(), 2u);
  }
  *first = 3;
  EXPECT_EQ(alerts.passed(), 3u);
}

TEST_F(Board, OffersAChangeAgainThatWasNotTaken) {
  for (const char* rule : {"a", "b", "c"}) alerts.raise({.rule = rule});
  std::uint64_t mark = 0;
  std::string taken;
  const auto until_b = [&](const Alert& alert) {
    if (alert.rule == "b") return false;
    taken += alert.rule;
    return true;
  };
  EXPECT_FALSE(alerts.pass_on(mark, until_b));
  EXPECT_FALSE(alerts.pass_on(mark, until_b));
  EXPECT_EQ(taken, "a");
  EXPECT_TRUE(alerts.pass_on(mark, [&](const Alert& alert) {
    taken += alert.rule;
    return true;
  }));
  EXPECT_EQ(taken, "abc");
  EXPECT_TRUE(alerts.pass_on(mark, until_b));
}

TEST_F(Board, CallsWhoListensUntilTheHandleIsDropped) {
  int called = 0;
  {
    const auto listening = alerts.listen([&] { ++called; });
    alerts.raise({.rule = "a"});
  }
  alerts.raise({.rule = "b"});
  EXPECT_EQ(called, 1);
}

TEST_F(Board, KeepsTheOrderInWhichTheyWereRaised) {
  alerts.raise({.rule = "z"});
  alerts.raise({.rule = "a"});
  EXPECT_EQ(alerts.active()[0].rule, "z");
}

}  // namespace
}  // namespace lightship
