// The log's memory: what is kept, what goes, what a reader sees.
#include "base/log_ring.h"

#include <gtest/gtest.h>

#include "base/log.h"
#include "base/manual_clock.h"

namespace lightship {
namespace {

using namespace std::chrono_literals;

struct Book {
  asio::io_context loop;
  ManualClock clock{loop};
  std::FILE* nowhere = std::fopen("/dev/null", "we");
  Logbook book{clock, nowhere, Logbook::Form::text, Level::info};
  ~Book() {
    book.flush(true);
    std::fclose(nowhere);
  }
};

TEST(LogRing, KeepsTheNewestLines) {
  LogRing ring(3);
  for (const char* event : {"a", "b", "c", "d"}) ring.keep({.event = event});
  const auto lines = ring.lines();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines.front()->event, "b");
  EXPECT_EQ(lines.front()->seq, 2U);
  EXPECT_EQ(ring.newest(), 4U);
}

TEST(LogRing, IsBoundedInBytesToo) {
  LogRing ring(1000, 10'000);
  for (int i = 0; i < 1000; ++i) ring.keep({.event = "e", .fields = std::string(500, 'x')});
  EXPECT_LE(ring.bytes(), 10'000U);
  EXPECT_GE(ring.lines().size(), 10U);
  EXPECT_EQ(ring.lines().back()->seq, 1000U);
}

TEST(LogRing, GivesWhatCameAfterALine) {
  LogRing ring;
  for (int i = 0; i < 5; ++i) ring.keep({});
  ASSERT_EQ(ring.lines(3).size(), 2U);
  EXPECT_EQ(ring.lines(3).front()->seq, 4U);
  EXPECT_TRUE(ring.lines(5).empty());
  EXPECT_TRUE(ring.lines(99).empty());
}

TEST(LogRing, HasTheLinesOfTheLogWithTheirFieldsAsJson) {
  Book all;
  Log(all.book, "modbus/panel")
      .warn("device is silent", field("why", "no \"answer\""), field("n", 3));
  const auto lines = all.book.ring().lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]->source, "modbus/panel");
  EXPECT_EQ(lines[0]->level, Level::warn);
  EXPECT_EQ(lines[0]->event, "device is silent");
  EXPECT_EQ(lines[0]->fields, R"("why":"no \"answer\"","n":3)");
}

TEST(LogRing, DoesNotKeepWhatIsBelowTheLevel) {
  Book all;
  Log(all.book, "mqtt").debug("a message went out");
  EXPECT_EQ(all.book.ring().newest(), 0U);
}

TEST(LogRing, FoldsRepeatsAsTheOutputDoes) {
  Book all;
  Log log(all.book, "mqtt");
  for (int i = 0; i < 9; ++i) log.warn("no broker", field("host", "a"));
  all.clock.advance(61s);
  all.book.flush();
  const auto lines = all.book.ring().lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[1]->fields, R"("host":"a","repeated":8)");
}

TEST(LogRing, CutsAValueThatIsLongerThanAnybodyReads) {
  Book all;
  Log(all.book, "mqtt").warn("strange", field("what", std::string(100'000, 'x')));
  EXPECT_LT(all.book.ring().lines()[0]->fields.size(), 3000U);
}

}  // namespace
}  // namespace lightship
