// The screen, looked at as text.
#include "cli/demo/picture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/demo/canvas.h"

namespace lightship::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr MonoTime kStart{1h};

std::string message(std::string_view client, int sequence, std::string_view measurements,
                    std::string_view more = "") {
  return fmt::format(
      R"({{"connection_id":"main-panel","client_id":"{}","sequence":{},"quality":"good","poll_ms":120,"measurements":{{{}}},)"
      R"("units":{{"active_power_total":"W","voltage_ln_avg":"V"}}{}}})",
      client, sequence, measurements, more);
}
const std::string kGood = R"("active_power_total":26432.1,"voltage_ln_avg":231.2,"online":true)";

Scene scene_of(const Feed& feed, MonoTime now) {
  Scene scene;
  scene.feed = &feed;
  scene.now = now;
  scene.running = std::chrono::duration_cast<Duration>(now - kStart);
  scene.ports = {8080, 4196, 1883};
  scene.log = "/tmp/demo.log";
  return scene;
}

TEST(Feed, CountsWhatIsMissingAndWhatCameTwice) {
  Feed feed;
  for (const int sequence : {7, 8, 8, 11}) feed.take(message("incomer", sequence, kGood), kStart);
  EXPECT_EQ(feed.messages(), 4u);
  EXPECT_EQ(feed.missing(), 2u);
  EXPECT_EQ(feed.repeated(), 1u);
}

TEST(Feed, PassesOverWhatIsNoMeasurement) {
  Feed feed;
  feed.take("online", kStart);
  feed.take(R"({"state":"online"})", kStart);
  EXPECT_EQ(feed.messages(), 0u);
}

TEST(Feed, KnowsWhoIsSilentAndWhy) {
  Feed feed;
  feed.take(message("incomer", 1, R"("active_power_total":null,"online":false)",
                    R"(,"errors":{"active_power_total":"timeout"})"),
            kStart);
  const auto& device = feed.devices().front();
  EXPECT_FALSE(device.online);
  EXPECT_EQ(device.shown("active_power_total"), "");
  EXPECT_EQ(what_fails(scene_of(feed, kStart), device), "timeout");
}

TEST(Reading, HasFourDigitsAndAPrefix) {
  EXPECT_EQ(for_reading(26432.1, "W"), "26.43 kW");
  EXPECT_EQ(for_reading(8'412'300, "Wh"), "8.412 MWh");
  EXPECT_EQ(for_reading(231.24, "V"), "231.2 V");
  EXPECT_EQ(for_reading(0.94, ""), "0.940");
  EXPECT_EQ(for_reading(18250, "h"), "18250 h");
}

TEST(Picture, FitsTheTerminal) {
  Feed feed;
  for (const char* name : {"incomer", "a-device-whose-name-is-longer-than-its-column", "office"})
    feed.take(message(name, 1, kGood), kStart);
  for (const Look look : {Look{80, 24}, Look{40, 12}, Look{20, 5}, Look{200, 60}}) {
    const auto lines = draw(scene_of(feed, kStart + 2s), look);
    EXPECT_LE(lines.size(), static_cast<std::size_t>(look.height));
    for (const auto& line : lines)
      EXPECT_LE(columns(line), static_cast<std::size_t>(look.width)) << line;
  }
}

TEST(Picture, ShowsTheAgeOfEveryDeviceAtAnyWidth) {
  Feed feed;
  feed.take(message("incomer", 1, kGood + R"(,"frequency":50,"mode":"holding","run_hours":18250)"),
            kStart);
  for (int width = 60; width < 140; ++width)
    EXPECT_THAT(draw(scene_of(feed, kStart + 500ms), {width, 24}).at(4), HasSubstr("0.5 s"))
        << width;
}

TEST(Picture, ShowsTheNewestValuesAndWhatFails) {
  Feed feed;
  feed.take(message("incomer", 1, kGood), kStart);
  feed.take(message("office", 1, R"("online":false)"), kStart);
  auto scene = scene_of(feed, kStart + 500ms);
  scene.told.devices["main-panel/incomer"] = {true, "answers in 41 ms", 41};
  scene.told.devices["main-panel/office"] = {false, "no bytes at all: check wiring, power and unit",
                                             0};
  std::string all;
  for (const auto& line : draw(scene, {})) all += line + "\n";
  EXPECT_THAT(all, HasSubstr("● main-panel/incomer"));
  EXPECT_THAT(all, HasSubstr("26.43 kW"));
  EXPECT_THAT(all, HasSubstr("▲ main-panel/office  no bytes at all: check wiring, power and unit"));
  EXPECT_THAT(all, HasSubstr("mosquitto_sub -p 1883"));
  EXPECT_EQ(all.find('\x1b'), std::string::npos);
}

TEST(Picture, IsOnePlainLineWithoutATerminal) {
  Feed feed;
  for (int i = 0; i < 6; ++i)
    feed.take(message(i % 2 == 0 ? "incomer" : "office", i / 2 + 1, kGood), kStart + i * 1s);
  EXPECT_EQ(plain_line(scene_of(feed, kStart + 6s)),
            "6 s: 2 devices, 2 online, 6 messages at the broker, 1.0/s, newest 1.0 s old");
}

}  // namespace
}  // namespace lightship::cli
