// The outbox: order, numbers, restarts, and a window that stays small.
#include "store/outbox_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/testing/desk.h"

namespace lightship {
namespace {

using testing::Desk;
using Heard = std::vector<std::string>;
using namespace std::chrono_literals;

TEST(Outbox, OffersWhatIsOnDiskInTheOrderOfQueueing) {
  Desk desk;
  auto queue = desk.open().queue("mqtt");
  queue->push(Desk::message("a", 1));
  queue->push(Desk::message("b", 2));
  queue->push(Desk::message("a", 3));
  EXPECT_EQ(queue->next(), nullptr) << "nothing leaves before it is on disk";
  desk.settle();
  EXPECT_EQ(desk.drain(*queue), (Heard{"a#1", "b#1", "a#2"}));
  EXPECT_EQ(queue->waiting(), 0u);
}

TEST(Outbox, SendsAlarmsBeforeMeasurements) {
  Desk desk;
  auto queue = desk.open().queue("mqtt");
  queue->push(Desk::message("a", 1));
  queue->push(Desk::message("", 2, Lane::alarm));
  desk.settle();
  EXPECT_EQ(desk.drain(*queue), (Heard{"#0", "a#1"}));
}

TEST(Outbox, KeepsWhatIsNotAcknowledgedOverARestart) {
  Desk desk;
  auto queue = desk.open().queue("mqtt");
  for (int i = 1; i <= 3; ++i) queue->push(Desk::message("a", i));
  desk.settle();
  queue->acknowledge(queue->next()->id);
  queue->next();
  queue.reset();
  desk.leave();

  queue = desk.open().queue("mqtt");
  EXPECT_EQ(queue->waiting(), 2u);
  EXPECT_EQ(desk.drain(*queue), (Heard{"a#2", "a#3"}));
}

TEST(Outbox, CountsOnWhereItStoppedAlsoWhenNothingWaits) {
  Desk desk;
  auto queue = desk.open().queue("mqtt");
  queue->push(Desk::message("a", 1));
  desk.settle();
  desk.drain(*queue);
  queue.reset();
  desk.leave();

  queue = desk.open().queue("mqtt");
  queue->push(Desk::message("a", 2));
  desk.settle();
  EXPECT_EQ(desk.drain(*queue), (Heard{"a#2"}));
}

TEST(Outbox, CountsForEachSinkApart) {
  Desk desk;
  auto& file = desk.open();
  auto mqtt = file.queue("mqtt"), http = file.queue("http/electrical");
  mqtt->push(Desk::message("a", 1));
  mqtt->push(Desk::message("a", 2));
  http->push(Desk::message("a", 1));
  desk.settle();
  EXPECT_EQ(desk.drain(*mqtt), (Heard{"a#1", "a#2"}));
  EXPECT_EQ(desk.drain(*http), (Heard{"a#1"}));
}

TEST(Outbox, OffersAgainInOrderWhatALostSessionLeft) {
  Desk desk;
  auto queue = desk.open().queue("mqtt");
  for (int i = 1; i <= 4; ++i) queue->push(Desk::message("a", i));
  desk.settle();
  queue->next();
  const auto second = queue->next()->id;
  queue->next();
  queue->acknowledge(second);
  EXPECT_EQ(queue->under_way(), 2u);
  queue->resend_all();
  EXPECT_EQ(queue->under_way(), 0u);
  EXPECT_EQ(desk.drain(*queue), (Heard{"a#1", "a#3", "a#4"}));
}

TEST(Outbox, GivesBackToTheOldPlace) {
  Desk desk;
  auto queue = desk.open().queue("mqtt");
  for (int i = 1; i <= 2; ++i) queue->push(Desk::message("a", i));
  desk.settle();
  queue->give_back(queue->next()->id);
  EXPECT_EQ(queue->peek()->sequence, 1u);
  EXPECT_EQ(desk.drain(*queue), (Heard{"a#1", "a#2"}));
}

TEST(Outbox, ReadsOnFromDiskWhatIsMoreThanItsWindow) {
  Desk desk;
  auto queue = desk.open().queue("mqtt");
  for (int i = 1; i <= 5000; ++i) {
    ASSERT_TRUE(queue->push(Desk::message("a", i)));
    if (i % 1000 == 0) desk.settle();
  }
  const auto heard = desk.drain(*queue);
  ASSERT_EQ(heard.size(), 5000u);
  for (int i = 0; i < 5000; ++i) ASSERT_EQ(heard[i], fmt::format("a#{}", i + 1));
}

TEST(Outbox, TakesOverTheNumbersOfAnEarlierVersion) {
  Desk desk;
  const auto old = desk.folder / "sequence-mqtt.json";
  std::ofstream(old) << R"({"next":{"mqtt/main-panel/meter-1":42}})";
  auto queue = desk.open().queue("mqtt");
  queue->push(Desk::message("main-panel/meter-1", 1));
  desk.settle();
  EXPECT_EQ(desk.drain(*queue), (Heard{"main-panel/meter-1#42"}));
  EXPECT_FALSE(std::filesystem::exists(old));
  EXPECT_TRUE(std::filesystem::exists(old.string() + ".imported"));
}

TEST(Outbox, WorksWithoutADataDirectory) {
  Desk desk;
  desk.context.data_dir.clear();
  auto queue = desk.open().queue("mqtt");
  queue->push(Desk::message("a", 1));
  desk.settle();
  EXPECT_EQ(desk.drain(*queue), (Heard{"a#1"}));
  EXPECT_TRUE(std::filesystem::is_empty(desk.folder));
}

}  // namespace
}  // namespace lightship
