// Alerts of the last run: known again, told once, cleared when they are over.
#include "store/alert_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/alert_message.h"
#include "store/testing/desk.h"

namespace lightship {
namespace {

using testing::Desk;
using Told = std::vector<std::string>;

// One run of the program: what the board told in it, and what it left behind.
struct OneRun {
  Desk desk;
  AlertMemory memory{desk.context};

  explicit OneRun(const std::string& left = {}) {
    if (!left.empty()) EXPECT_TRUE(memory.adopt(left).has_value());
  }
  void raise(const std::string& rule) { desk.alerts.raise({.rule = rule, .text = "look at it"}); }
  std::string after(Duration pause) {
    memory.text();  // hears what was new
    desk.clock.advance(pause);
    return memory.text();
  }
  Told told() const {
    Told text;
    for (const auto& alert : desk.alerts.changes_since(0).second)
      text.push_back(alert.rule + " " + std::string(to_string(alert.state)));
    return text;
  }
};

TEST(AlertMemory, SaysNothingOfAnAlertThatStillHolds) {
  OneRun before;
  before.raise("disk-full");
  OneRun after(before.after(AlertMemory::kSettled));
  after.raise("disk-full");
  EXPECT_EQ(after.told(), Told{});
  EXPECT_EQ(after.desk.alerts.clear_forgotten(), 0u);
  EXPECT_EQ(after.desk.alerts.active().size(), 1u);
}

TEST(AlertMemory, ClearsAnAlertThatNobodyRaisesAgain) {
  OneRun before;
  before.raise("disk-full");
  OneRun after(before.after(AlertMemory::kSettled));
  EXPECT_EQ(after.desk.alerts.clear_forgotten(), 1u);
  EXPECT_EQ(after.told(), Told{"disk-full cleared"});
  EXPECT_EQ(after.desk.alerts.changes_since(0).second[0].text, "look at it");
}

TEST(AlertMemory, TellsAgainWhatMayNotHaveReachedTheOutbox) {
  OneRun before;
  before.raise("disk-full");
  OneRun after(before.memory.text());
  EXPECT_EQ(after.told(), Told{"disk-full raised"});
  after.raise("disk-full");
  EXPECT_EQ(after.told().size(), 1u);
}

TEST(AlertMemory, TellsAnEndAgainThatMayNotHaveReachedTheOutbox) {
  OneRun before;
  before.raise("disk-full");
  before.after(AlertMemory::kSettled);
  before.desk.alerts.clear("disk-full");
  OneRun after(before.memory.text());
  EXPECT_EQ(after.told(), Told{"disk-full cleared"});
  EXPECT_TRUE(after.desk.alerts.active().empty());
}

TEST(AlertMemory, ForgetsAnEndThatWasTold) {
  OneRun before;
  before.raise("disk-full");
  before.after(AlertMemory::kSettled);
  before.desk.alerts.clear("disk-full");
  EXPECT_EQ(before.after(AlertMemory::kSettled), "{\"alerts\":[]}\n");
}

TEST(AlertMemory, KeepsWhenItBeganAndWhetherSomebodyHasSeenIt) {
  OneRun before;
  before.raise("disk-full");
  const auto since = before.desk.alerts.active()[0].since;
  before.desk.alerts.acknowledge("disk-full");
  OneRun after(before.after(AlertMemory::kSettled));
  after.desk.clock.advance(std::chrono::hours(1));
  after.raise("disk-full");
  EXPECT_EQ(after.desk.alerts.active()[0].since, since);
  EXPECT_EQ(after.desk.alerts.active()[0].state, Alert::State::acknowledged);
}

TEST(AlertMemory, KnowsWhoseItWasWithoutTheDevice) {
  OneRun before;
  Alert alert{.rule = "too-hot", .point = "main/meter/temperature", .value = Real{81.5}};
  alert.former = {"main", "meter", "thermal"};
  before.desk.alerts.raise(alert);
  OneRun after(before.after(AlertMemory::kSettled));
  const auto known = after.desk.alerts.active().at(0);
  EXPECT_EQ(origin_of(after.desk.catalog, known).point, "temperature");
  EXPECT_EQ(origin_of(after.desk.catalog, known).client, "meter");
  EXPECT_EQ(types_for(after.desk.catalog, known, {"thermal", "host"}),
            std::vector<std::string>{"thermal"});
  EXPECT_EQ(to_text(known.value), "81.5");
}

TEST(AlertMemory, RefusesWhatIsNoList) {
  OneRun run;
  for (const char* wrong : {"", "[]", "{\"alerts\":1}", "{\"alerts\":[{]}"})
    EXPECT_FALSE(run.memory.adopt(wrong).has_value()) << wrong;
  EXPECT_TRUE(run.memory.adopt("{\"alerts\":[1,{},{\"rule\":7}]}").has_value());
  EXPECT_TRUE(run.desk.alerts.active().empty());
}

}  // namespace
}  // namespace lightship
