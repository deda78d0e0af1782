// Alerts of the last run: known again, told once, cleared when they are over.
#include "store/alert_memory.h"

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
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
  // What is written once everybody has been told.
  std::string all_told() { return memory.text(); }
  Told told() const {
    Told text;
    for (const auto& alert : desk.alerts.changes_since(0).second)
      text.push_back(alert.rule + " " + std::string(to_string(alert.state)));
    return text;
  }
};

// A disk that hangs must not hold up the loop that delivers what waits.
TEST(AlertMemory, SavesWithoutHoldingUpTheLoop) {
  OneRun run;
  run.raise("disk-full");
  std::promise<void> disk;
  run.desk.files.post([hangs = disk.get_future().share()] { hangs.wait(); });
  TaskGroup last(run.desk.loop.get_executor());
  last.spawn(run.memory.save());
  run.desk.loop.restart();
  run.desk.loop.poll();
  EXPECT_EQ(last.running(), 1u);
  const auto file = run.desk.context.data_dir / AlertMemory::kFile;
  EXPECT_FALSE(std::filesystem::exists(file));
  disk.set_value();
  while (last.running() > 0) run.desk.loop.run_one();
  EXPECT_THAT(read_file(file, 10'000).value_or(""), ::testing::HasSubstr("disk-full"));
}

TEST(AlertMemory, SaysNothingOfAnAlertThatStillHolds) {
  OneRun before;
  before.raise("disk-full");
  OneRun after(before.all_told());
  after.raise("disk-full");
  EXPECT_EQ(after.told(), Told{});
  EXPECT_EQ(after.desk.alerts.clear_forgotten(), 0u);
  EXPECT_EQ(after.desk.alerts.active().size(), 1u);
}

TEST(AlertMemory, ClearsAnAlertThatNobodyRaisesAgain) {
  OneRun before;
  before.raise("disk-full");
  OneRun after(before.all_told());
  EXPECT_EQ(after.desk.alerts.clear_forgotten(), 1u);
  EXPECT_EQ(after.told(), Told{"disk-full cleared"});
  EXPECT_EQ(after.desk.alerts.changes_since(0).second[0].text, "look at it");
}

// A sink that takes changes when it is asked to, and an outbox that commits when the loop turns.
struct Receiver {
  explicit Receiver(OneRun& run) : run(run), following(run.desk.alerts.follow(mark)) {
    run.desk.context.heirlooms["outbox"] = run.desk.file =
        OutboxFile::open(run.desk.context, run.desk.path(), run.desk.settings);
    queue = run.desk.file->queue("http/alerts");
  }
  ~Receiver() {
    run.desk.context.heirlooms.clear();
    run.desk.file.reset();
  }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  void take() {
    run.desk.alerts.pass_on(
        *mark, [&](const Alert&) { return queue->push(Desk::message("alerts", 1, Lane::alarm)); });
  }
  OneRun& run;
  std::shared_ptr<std::uint64_t> mark = std::make_shared<std::uint64_t>(0);
  Alerts::Following following;
  std::shared_ptr<OutboxQueue> queue;
};

constexpr auto kLong = std::chrono::hours(1);

TEST(AlertMemory, TellsAgainWhatNoSinkHasTakenHoweverLongAgo) {
  OneRun before;
  const Receiver receiver(before);
  before.raise("disk-full");
  before.memory.text();
  before.desk.clock.advance(kLong);
  OneRun after(before.memory.text());
  EXPECT_EQ(after.told(), Told{"disk-full raised"});
  after.raise("disk-full");
  EXPECT_EQ(after.told().size(), 1u);
}

TEST(AlertMemory, TellsAgainWhatTheOutboxHasNotCommittedHoweverLongAgo) {
  OneRun before;
  Receiver receiver(before);
  before.raise("disk-full");
  receiver.take();
  before.memory.text();
  before.desk.clock.advance(kLong);
  OneRun after(before.memory.text());
  EXPECT_EQ(after.told(), Told{"disk-full raised"});
  before.desk.settle();
  OneRun third(before.memory.text());
  EXPECT_EQ(third.told(), Told{});
}

TEST(AlertMemory, TellsAgainWhatAnOutboxThatCannotBeOpenedHolds) {
  OneRun before;
  std::filesystem::create_directories(before.desk.path());
  Receiver receiver(before);
  before.raise("disk-full");
  receiver.take();
  before.desk.settle();
  before.desk.clock.advance(kLong);
  OneRun after(before.memory.text());
  EXPECT_THAT(after.told(), ::testing::Contains("disk-full raised"));
}

TEST(AlertMemory, WaitsForEverySinkThatIsThereAndForNoOther) {
  OneRun run;
  Receiver receiver(run);
  auto slow = run.desk.alerts.follow(std::make_shared<std::uint64_t>(0));
  run.raise("disk-full");
  receiver.take();
  run.desk.settle();
  EXPECT_NE(run.memory.text().find("\"told\":false"), std::string::npos);
  slow = {};
  EXPECT_NE(run.memory.text().find("\"told\":true"), std::string::npos);
}

TEST(AlertMemory, KeepsAnEndThatNobodyHasTaken) {
  OneRun before;
  Receiver receiver(before);
  before.raise("disk-full");
  receiver.take();
  before.desk.settle();
  before.memory.text();
  before.desk.alerts.clear("disk-full");
  before.memory.text();
  before.desk.clock.advance(kLong);
  OneRun after(before.memory.text());
  EXPECT_EQ(after.told(), Told{"disk-full cleared"});
  EXPECT_TRUE(after.desk.alerts.active().empty());
  receiver.take();
  before.desk.settle();
  EXPECT_EQ(before.memory.text(), "{\"alerts\":[]}\n");
}

TEST(AlertMemory, ForgetsAnEndThatWasTold) {
  OneRun before;
  before.raise("disk-full");
  before.all_told();
  before.desk.alerts.clear("disk-full");
  EXPECT_EQ(before.all_told(), "{\"alerts\":[]}\n");
}

TEST(AlertMemory, KeepsWhenItBeganAndWhetherSomebodyHasSeenIt) {
  OneRun before;
  before.raise("disk-full");
  const auto since = before.desk.alerts.active()[0].since;
  before.desk.alerts.acknowledge("disk-full");
  OneRun after(before.all_told());
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
  OneRun after(before.all_told());
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
