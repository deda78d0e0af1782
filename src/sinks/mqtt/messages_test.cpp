// Alerts on their way into the outbox while it has no room.
#include "sinks/mqtt/messages.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "store/testing/desk.h"

namespace lightship::mqtt {
namespace {

using namespace std::chrono_literals;
using lightship::testing::Desk;

TEST(MqttMessages, AnAlertThatFindsNoRoomIsOfferedAgainUntilItIsTaken) {
  Desk desk;
  std::filesystem::create_directories(
      desk.path());  // where the file should be: it cannot be opened
  desk.file = OutboxFile::open(desk.context, desk.path(), desk.settings);
  auto queue = desk.file->queue("mqtt");
  MqttConfig config;
  config.topics["host"].alerts = "alerts/{point}";
  Messages messages(desk.context, config, queue);
  TaskGroup group(desk.loop.get_executor());
  group.spawn(messages.make());
  desk.loop.run_for(20ms);
  std::size_t filling = 0;
  while (queue->push(Desk::message("", 0, Lane::alarm, 10'000))) ++filling;

  desk.alerts.raise({.rule = "too-hot", .point = "boiler"});
  for (int turn = 0; turn < 5; ++turn) {
    desk.clock.advance(1s);
    desk.loop.restart();
    desk.loop.run_for(2ms);
  }
  std::filesystem::remove(desk.path());
  std::size_t alerts = 0, others = 0;
  for (int turn = 0; turn < 3000 && (alerts == 0 || others < filling); ++turn) {
    desk.clock.advance(100ms);
    desk.loop.restart();
    desk.loop.run_for(2ms);
    while (const auto* message = queue->next()) {
      (message->target == "alerts/boiler" ? alerts : others) += 1;
      queue->acknowledge(message->id);
    }
  }
  EXPECT_EQ(alerts, 1u);
  EXPECT_GE(others, filling);
  messages.stop();
  group.cancel();
  desk.wait(group.join());
}

}  // namespace
}  // namespace lightship::mqtt
