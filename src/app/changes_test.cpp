// Changes one after the other, and each restart of a part only once.
#include "app/changes.h"

#include <gtest/gtest.h>

#include "base/manual_clock.h"

namespace lightship::app {
namespace {

using namespace std::chrono_literals;

Task<Result<void>> slow(Clock& clock) {
  co_await clock.sleep_for(1s);
  co_return Result<void>{};
}

TEST(Changes, ARestartThatIsWantedOrUnderWayIsNotWantedTwice) {
  asio::io_context loop{1};
  ManualClock clock{loop};
  Changes changes(loop.get_executor());
  TaskGroup tasks(loop.get_executor());
  tasks.spawn(changes.run());
  std::map<std::string, int> told;
  const auto want = [&](const std::string& part) {
    asio::co_spawn(loop, changes.once(part, [&clock] { return slow(clock); }),
                   [&told, part](std::exception_ptr, Result<void> done) {
                     ++told[part + (done ? " done" : " " + done.error().text)];
                   });
  };
  for (const char* part : {"mqtt", "mqtt", "http", "http"}) want(part);
  clock.settle();
  EXPECT_EQ(told, (std::map<std::string, int>{{"mqtt 'mqtt' is being restarted already", 1},
                                              {"http 'http' is being restarted already", 1}}));
  for (int i = 0; i < 30; ++i) clock.advance(100ms);
  EXPECT_EQ(told["mqtt done"], 1);
  EXPECT_EQ(told["http done"], 1);
  want("mqtt");
  for (int i = 0; i < 15; ++i) clock.advance(100ms);
  EXPECT_EQ(told["mqtt done"], 2);
  changes.stop();
  clock.settle();
}

}  // namespace
}  // namespace lightship::app
