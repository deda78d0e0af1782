// The scripted peer keeps to its script, and says when we do not.
#include "link/testing/scripted_line.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

namespace lightship::link {
namespace {

using namespace std::chrono_literals;

// Somebody who writes and reads, and remembers what came and when.
struct Table {
  asio::io_context loop;
  ManualClock clock{loop};
  ScriptedLink link{clock};
  TaskGroup tasks{loop.get_executor()};
  MonoTime start = clock.mono();
  std::unique_ptr<ByteLine> line = link.open().value();
  std::vector<std::string> heard;

  ~Table() {
    tasks.cancel();
    clock.settle();
  }
  Task<void> say(std::string_view text) {
    const auto bytes = hex(text);
    (void)co_await line->write(bytes);
  }
  Task<void> listen(std::chrono::milliseconds until, std::size_t room = 256) {
    ByteVector buffer(room);
    for (;;) {
      auto count = co_await line->read_some(buffer, start + until);
      const auto at =
          std::chrono::duration_cast<std::chrono::milliseconds>(clock.mono() - start).count();
      if (!count) {
        heard.push_back(fmt::format("{} ms {}", at, to_string(count.error().code)));
        co_return;
      }
      heard.push_back(fmt::format("{} ms {}", at, to_hex(Bytes(buffer).first(*count))));
    }
  }
};

using Heard = std::vector<std::string>;

TEST(ScriptedLink, AnswersInTwoBites) {
  Table table;
  table.link.expects("01 03").answers("0A 0B 0C");
  table.tasks.spawn(table.say("01 03"));
  table.tasks.spawn(table.listen(100ms));

  table.clock.advance(1s);

  EXPECT_EQ(table.heard, (Heard{"0 ms 0A", "0 ms 0B 0C", "100 ms timeout"}));
  EXPECT_TRUE(table.link.done());
}

TEST(ScriptedLink, AnswersAfterAWhileAndWakesWhoListens) {
  Table table;
  table.link.expects("01").after(20ms).in_bites(3, 5ms).answers("0A 0B 0C");
  table.tasks.spawn(table.listen(100ms));
  table.clock.advance(10ms);
  table.tasks.spawn(table.say("01"));

  table.clock.advance(1s);

  EXPECT_EQ(table.heard, (Heard{"30 ms 0A", "35 ms 0B", "40 ms 0C", "100 ms timeout"}));
}

TEST(ScriptedLink, HangsUpAndCanBeOpenedAgainWhereTheScriptIs) {
  Table table;
  table.link.expects("01").after(5ms).hangs_up();
  table.link.expects("02").answers("0B");
  table.tasks.spawn(table.say("01"));
  table.tasks.spawn(table.listen(100ms));
  table.clock.advance(50ms);
  EXPECT_EQ(table.heard, (Heard{"5 ms closed"}));

  table.line = table.link.open().value();
  table.tasks.spawn(table.say("02"));
  table.tasks.spawn(table.listen(100ms));
  table.clock.advance(50ms);

  EXPECT_EQ(table.heard, (Heard{"5 ms closed", "50 ms 0B", "100 ms timeout"}));
  EXPECT_EQ(table.link.opened(), 2u);
}

TEST(ScriptedLink, StaysSilent) {
  Table table;
  table.link.expects("01").stays_silent();
  table.tasks.spawn(table.say("01"));
  table.tasks.spawn(table.listen(30ms));

  table.clock.advance(1s);

  EXPECT_EQ(table.heard, (Heard{"30 ms timeout"}));
}

TEST(ScriptedLink, SpeaksWithoutBeingAsked) {
  Table table;
  table.link.expects("01").answers("0A 0A");
  table.link.says("0B 0B", 7ms);
  table.tasks.spawn(table.say("01"));
  table.tasks.spawn(table.listen(30ms));

  table.clock.advance(1s);

  EXPECT_EQ(table.heard, (Heard{"0 ms 0A", "0 ms 0A", "7 ms 0B", "7 ms 0B", "30 ms timeout"}));
}

TEST(ScriptedLink, CountsWhatIsDiscarded) {
  Table table;
  table.link.expects("01").answers("0A 0B").after(5ms).answers("0C");
  table.tasks.spawn(table.say("01"));
  table.clock.advance(1ms);

  EXPECT_EQ(table.line->discard(), 2u);
  EXPECT_EQ(table.line->discard(), 0u);
  EXPECT_EQ(table.link.discarded(), 2u);
}

TEST(ScriptedLink, GivesNoMoreThanThereIsRoomFor) {
  Table table;
  table.link.expects("01").in_bites(1).answers("0A 0B 0C");
  table.tasks.spawn(table.say("01"));
  table.tasks.spawn(table.listen(10ms, 2));

  table.clock.advance(1s);

  EXPECT_EQ(table.heard, (Heard{"0 ms 0A 0B", "0 ms 0C", "10 ms timeout"}));
}

TEST(ScriptedLink, EndsAReadThatIsCancelled) {
  Table table;
  table.tasks.spawn(table.listen(100ms));
  table.clock.settle();

  table.tasks.cancel();
  table.clock.settle();

  EXPECT_EQ(table.tasks.running(), 0u);
  EXPECT_TRUE(table.heard.empty());
  EXPECT_EQ(table.clock.sleepers(), 0u);
}

TEST(ScriptedLink, FailsTheTestWhenItHearsSomethingElse) {
  EXPECT_NONFATAL_FAILURE(
      {
        Table table;
        table.link.expects("01").answers("0A");
        table.tasks.spawn(table.say("02"));
        table.clock.settle();
        table.tasks.spawn(table.say("01"));
        table.clock.settle();
      },
      "script heard 02");
}

TEST(ScriptedLink, FailsTheTestWhenItNeverHearsWhatItExpects) {
  EXPECT_NONFATAL_FAILURE({ Table().link.expects("01 02"); }, "script never heard 01 02");
}

}  // namespace
}  // namespace lightship::link
