// Logs: fields, levels, folding.
#include "base/log.h"

#include <gtest/gtest.h>

#include "base/manual_clock.h"

namespace lightship {
namespace {

using namespace std::chrono_literals;

struct Paper {
  asio::io_context loop;
  ManualClock clock{loop};
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* file = ::open_memstream(&text, &size);
  ~Paper() {
    std::fclose(file);
    std::free(text);
  }
  std::string read() {
    std::fflush(file);
    return {text, size};
  }
};

TEST(Log, WritesAnEventAndItsFields) {
  Paper paper;
  Logbook book(paper.clock, paper.file, Logbook::Form::text, Level::info);
  Log(book, "modbus/panel")
      .warn("device is silent", field("device", "panel/m1"), field("why", "no answer"),
            field("n", 3));
  EXPECT_EQ(paper.read(),
            "2026-01-04T12:00:00.000Z warn  modbus/panel: device is silent device=panel/m1 "
            "why=\"no answer\" n=3\n");
}

TEST(Log, WritesJsonLines) {
  Paper paper;
  Logbook book(paper.clock, paper.file, Logbook::Form::json, Level::info);
  Log(book, "mqtt")
      .info("connected", field("broker", "a\"b"), field("waiting", 2), field("up", true));
  EXPECT_EQ(paper.read(),
            "{\"time\":\"2026-01-04T12:00:00.000Z\",\"level\":\"info\",\"source\":\"mqtt\","
            "\"event\":\"connected\","
            "\"broker\":\"a\\\"b\",\"waiting\":2,\"up\":true}\n");
}

TEST(Log, FoldsRepeatsAndCountsThem) {
  Paper paper;
  Logbook book(paper.clock, paper.file, Logbook::Form::text, Level::info);
  Log log(book, "mqtt");
  for (int i = 0; i < 9; ++i) log.warn("no broker");
  paper.clock.advance(61s);
  book.flush();
  const auto text = paper.read();
  EXPECT_EQ(std::ranges::count(text, '\n'), 2) << text;
  EXPECT_NE(text.find("no broker (repeated 8 times)"), std::string::npos) << text;
}

TEST(Log, ShowsALineAgainWhenSomethingElseWasSaidBetween) {
  Paper paper;
  Logbook book(paper.clock, paper.file, Logbook::Form::text, Level::info);
  Log log(book, "mqtt");
  for (int i = 0; i < 3; ++i) {
    log.warn("connection lost");
    log.info("connected");
  }
  EXPECT_EQ(std::ranges::count(paper.read(), '\n'), 6) << paper.read();
}

TEST(Log, FoldsAFloodOfTwoLinesToo) {
  Paper paper;
  Logbook book(paper.clock, paper.file, Logbook::Form::text, Level::info);
  Log log(book, "mqtt");
  for (int i = 0; i < 1000; ++i) {
    log.warn("connection lost");
    log.info("connected");
  }
  EXPECT_EQ(std::ranges::count(paper.read(), '\n'), 10) << paper.read();
}

TEST(Log, ForgetsWhatItFoldedWhenAskedTo) {
  Paper paper;
  Logbook book(paper.clock, paper.file, Logbook::Form::text, Level::info);
  Log log(book, "lightship");
  log.info("configuration reloaded");
  book.flush(true);
  log.info("configuration reloaded");
  EXPECT_EQ(std::ranges::count(paper.read(), '\n'), 2) << paper.read();
}

TEST(Log, EachComponentMayHaveItsOwnLevel) {
  Paper paper;
  Logbook book(paper.clock, paper.file, Logbook::Form::text, Level::warn);
  Log modbus(book, "modbus/a"), mqtt(book, "mqtt");
  book.set_level("modbus", Level::debug);
  EXPECT_TRUE(modbus.wants(Level::debug));
  EXPECT_FALSE(mqtt.wants(Level::info));
  book.set_level("modbus", std::nullopt);
  EXPECT_FALSE(modbus.wants(Level::info));
}

}  // namespace
}  // namespace lightship
