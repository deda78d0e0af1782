// The live feed over scripted WebSockets, at a time that the test makes.
#include "portal/live/hub.h"

#include <deque>

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "base/manual_clock.h"

namespace lightship::portal {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

// A peer that says what the test lets it say, and takes frames unless it is told not to.
class ScriptedWebSocket final : public WebSocket {
 public:
  explicit ScriptedWebSocket(const asio::any_io_executor& loop) : heard_(loop), room_(loop) {
    heard_.expires_at(asio::steady_timer::time_point::max());
    room_.expires_at(asio::steady_timer::time_point::max());
  }

  void says(std::string text) {
    to_read_.push_back(std::move(text));
    heard_.cancel();
  }
  void hangs_up() { drop(); }
  void takes(bool now) {
    takes_ = now;
    room_.cancel();
  }

  Task<Result<std::string>> read() override {
    while (to_read_.empty() && !dropped) {
      boost::system::error_code woken;
      co_await heard_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    if (dropped) co_return fail(Errc::closed, "gone");
    auto text = std::move(to_read_.front());
    to_read_.pop_front();
    co_return text;
  }
  Task<Result<void>> write(std::shared_ptr<const std::string> text) override {
    while (!takes_ && !dropped) {
      boost::system::error_code woken;
      co_await room_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    if (dropped) co_return fail(Errc::closed, "gone");
    frames.push_back(text);
    co_return Result<void>{};
  }
  Task<void> close(std::uint16_t code, std::string_view reason) override {
    closed = code;
    why = reason;
    drop();
    co_return;
  }
  void drop() override {
    dropped = true;
    heard_.cancel();
    room_.cancel();
  }

  std::vector<std::shared_ptr<const std::string>> frames;
  std::uint16_t closed = 0;
  std::string why;
  bool dropped = false;

 private:
  std::deque<std::string> to_read_;
  bool takes_ = true;
  asio::steady_timer heard_, room_;
};

struct Feed {
  asio::io_context loop;
  ManualClock clock{loop};
  LiveHub hub{loop.get_executor(), clock};
  std::unique_ptr<TaskGroup> tasks = std::make_unique<TaskGroup>(loop.get_executor());
  json::value present = json::parse(R"({"n":1})");
  std::optional<Error> failing;
  bool throwing = false;
  int asked = 0;
  std::string argument;
  std::vector<std::pair<std::uint64_t, std::string>> log;

  Feed() {
    hub.add(StateTopic{"state", Role::viewer, 1s, [this](std::string) { return tell(); }});
    hub.add(StateTopic{"users", Role::admin, 1s, [this](std::string) { return tell(); }});
    hub.add(StateTopic{"device:", Role::viewer, 1s, [this](std::string id) {
                         argument = std::move(id);
                         return tell();
                       }});
    hub.add(GrowingTopic{
        "logs", Role::viewer, 1s, 2, 100,
        [this](std::string, std::optional<std::uint64_t> after) { return more(after); }});
    tasks->spawn(hub.run());
    clock.settle();
  }
  ~Feed() {
    tasks->cancel();
    clock.settle();
  }

  Task<Result<json::value>> tell() {
    ++asked;
    if (throwing) throw std::runtime_error("a defect");
    if (failing) co_return fail(*failing);
    co_return present;
  }
  Task<Result<GrowingTopic::News>> more(std::optional<std::uint64_t> after) {
    GrowingTopic::News news;
    for (const auto& [seq, text] : log) {
      if (after && seq <= *after) continue;
      news.items.push_back(json::value(text));
      news.cursor = seq;
    }
    if (news.items.empty()) news.cursor = after.value_or(0);
    co_return news;
  }

  std::shared_ptr<ScriptedWebSocket> comes(Role role = Role::viewer, std::string session = "s1") {
    const auto socket = std::make_shared<ScriptedWebSocket>(loop.get_executor());
    Caller caller;
    caller.user = "anna";
    caller.role = role;
    caller.session = std::move(session);
    tasks->spawn(hub.serve(socket, caller));
    clock.settle();
    return socket;
  }
  void says(const std::shared_ptr<ScriptedWebSocket>& socket, std::string text) {
    socket->says(std::move(text));
    clock.settle();
  }
};

json::object frame(const std::shared_ptr<ScriptedWebSocket>& socket, std::size_t which) {
  return which < socket->frames.size() ? json::parse(*socket->frames[which]).as_object()
                                       : json::object{};
}
std::string_view type(const json::object& one) {
  return one.contains("type") ? std::string_view(one.at("type").as_string()) : "nothing";
}
std::int64_t seq(const json::object& one) { return one.at("seq").as_int64(); }

TEST(LiveHub, TellsASnapshotAndThenOnlyWhatChanges) {
  Feed feed;
  const auto page = feed.comes();
  feed.says(page, R"({"subscribe":["state"]})");
  ASSERT_EQ(page->frames.size(), 1U);
  EXPECT_EQ(type(frame(page, 0)), "snapshot");
  EXPECT_EQ(frame(page, 0).at("data"), json::parse(R"({"n":1})"));
  feed.clock.advance(1s);
  EXPECT_EQ(page->frames.size(), 1U);
  feed.present = json::parse(R"({"n":2})");
  feed.clock.advance(1s);
  ASSERT_EQ(page->frames.size(), 2U);
  EXPECT_EQ(type(frame(page, 1)), "delta");
  EXPECT_EQ(seq(frame(page, 1)), seq(frame(page, 0)) + 1);
  EXPECT_EQ(frame(page, 1).at("data"), json::parse(R"({"n":2})"));
}

TEST(LiveHub, AsksNobodyWhileNobodyWatches) {
  Feed feed;
  feed.clock.advance(10s);
  EXPECT_EQ(feed.asked, 0);
  const auto page = feed.comes();
  feed.says(page, R"({"subscribe":["state"]})");
  feed.clock.advance(3s);
  EXPECT_EQ(feed.asked, 4);
  feed.says(page, R"({"unsubscribe":["state"]})");
  feed.clock.advance(10s);
  EXPECT_EQ(feed.asked, 4);
}

TEST(LiveHub, AsksOnceForAllWhoWatchAndSharesTheText) {
  Feed feed;
  const auto one = feed.comes(), two = feed.comes();
  feed.says(one, R"({"subscribe":["state"]})");
  feed.says(two, R"({"subscribe":["state"]})");
  feed.clock.advance(2s);
  EXPECT_EQ(feed.asked, 3);
  ASSERT_EQ(two->frames.size(), 1U);
  EXPECT_EQ(one->frames[0], two->frames[0]);
}

TEST(LiveHub, GivesTheArgumentOfAPrefixAndRefusesItWithoutOne) {
  Feed feed;
  const auto page = feed.comes();
  feed.says(page, R"({"subscribe":["device:main/m-1"]})");
  EXPECT_EQ(feed.argument, "main/m-1");
  EXPECT_EQ(frame(page, 0).at("topic"), "device:main/m-1");
  feed.says(page, R"({"subscribe":["device:"]})");
  EXPECT_EQ(frame(page, 1).at("problem").at("status"), 404);
}

TEST(LiveHub, ResumesWithTheDeltasThatWereMissed) {
  Feed feed;
  const auto page = feed.comes(), other = feed.comes();
  feed.says(page, R"({"subscribe":["state"]})");
  feed.says(other, R"({"subscribe":["state"]})");
  const auto known = seq(frame(page, 0));
  page->hangs_up();
  for (int n = 2; n < 5; ++n) {
    feed.present = json::object{{"n", n}};
    feed.clock.advance(1s);
  }
  const auto again = feed.comes();
  feed.says(again, fmt::format(R"({{"resume":{{"state":{}}}}})", known));
  ASSERT_EQ(again->frames.size(), 3U);
  EXPECT_EQ(type(frame(again, 0)), "delta");
  EXPECT_EQ(seq(frame(again, 0)), known + 1);
  EXPECT_EQ(frame(again, 2).at("data"), json::parse(R"({"n":4})"));
}

TEST(LiveHub, RemembersATopicThatNobodyWatchedForAMoment) {
  Feed feed;
  const auto page = feed.comes();
  feed.says(page, R"({"subscribe":["state"]})");
  page->hangs_up();
  feed.present = json::object{{"n", 9}};
  feed.clock.advance(5s);
  const auto again = feed.comes();
  feed.says(again, fmt::format(R"({{"resume":{{"state":{}}}}})", seq(frame(page, 0))));
  ASSERT_EQ(again->frames.size(), 1U);
  EXPECT_EQ(type(frame(again, 0)), "delta");
  feed.says(again, R"({"unsubscribe":["state"]})");
  feed.clock.advance(2min);
  EXPECT_EQ(feed.hub.figures().topics, 0U);
}

TEST(LiveHub, NeverTellsANewcomerWhatWasTrueWhenNobodyWatched) {
  Feed feed;
  const auto page = feed.comes();
  feed.says(page, R"({"subscribe":["state"]})");
  page->hangs_up();
  feed.clock.advance(5s);
  feed.present = json::object{{"n", 9}};
  const auto newcomer = feed.comes();
  feed.says(newcomer, R"({"subscribe":["state"]})");
  ASSERT_EQ(newcomer->frames.size(), 1U);
  EXPECT_EQ(frame(newcomer, 0).at("data"), feed.present);
}

TEST(LiveHub, TellsWhatGrowsByAdditions) {
  Feed feed;
  feed.log = {{1, "a"}, {2, "b"}, {3, "c"}};
  const auto page = feed.comes();
  feed.says(page, R"({"subscribe":["logs"]})");
  EXPECT_EQ(frame(page, 0).at("data"), json::parse(R"({"items":["b","c"]})"));
  feed.log.push_back({4, "d"});
  feed.clock.advance(2s);
  ASSERT_EQ(page->frames.size(), 2U);
  EXPECT_EQ(frame(page, 1).at("data"), json::parse(R"({"items":{"append":["d"],"keep":100}})"));
}

TEST(LiveHub, AnswersAPing) {
  Feed feed;
  const auto page = feed.comes();
  feed.says(page, R"({"ping":7})");
  EXPECT_EQ(*page->frames.at(0), R"({"type":"pong","ping":7})");
}

TEST(LiveHub, RefusesUnknownTopicsAndThoseOfAnotherRole) {
  Feed feed;
  const auto page = feed.comes();
  feed.says(page, R"({"subscribe":["nothing","users"]})");
  EXPECT_EQ(frame(page, 0).at("problem").at("status"), 404);
  EXPECT_EQ(frame(page, 0).at("topic"), "nothing");
  EXPECT_EQ(frame(page, 1).at("problem").at("status"), 403);
  EXPECT_EQ(feed.asked, 0);
  const auto admin = feed.comes(Role::admin);
  feed.says(admin, R"({"subscribe":["users"]})");
  EXPECT_EQ(type(frame(admin, 0)), "snapshot");
}

TEST(LiveHub, SaysThatATopicIsGoneAndEndsIt) {
  Feed feed;
  const auto page = feed.comes();
  feed.says(page, R"({"subscribe":["device:a"]})");
  feed.failing = Error{Errc::invalid, "there is no device a"};
  feed.clock.advance(1s);
  ASSERT_EQ(page->frames.size(), 2U);
  EXPECT_EQ(frame(page, 1).at("topic"), "device:a");
  EXPECT_EQ(frame(page, 1).at("problem").at("status"), 404);
  EXPECT_EQ(feed.hub.figures().topics, 0U);
  feed.clock.advance(10s);
  EXPECT_EQ(page->frames.size(), 2U);
}

TEST(LiveHub, SaysOnceThatATopicDoesNotAnswerAndThatItDoesAgain) {
  Feed feed;
  const auto page = feed.comes();
  feed.says(page, R"({"subscribe":["state"]})");
  feed.failing = Error{Errc::timeout, "the gateway's loop did not answer"};
  feed.clock.advance(3s);
  ASSERT_EQ(page->frames.size(), 2U);
  EXPECT_EQ(frame(page, 1).at("problem").at("status"), 503);
  feed.failing.reset();
  feed.clock.advance(1s);
  ASSERT_EQ(page->frames.size(), 3U);
  EXPECT_EQ(type(frame(page, 2)), "delta");
  EXPECT_EQ(frame(page, 2).at("data"), json::parse("{}"));
}

TEST(LiveHub, ATopicWhoseProviderThrowsSaysSoAndGoesOnWhenItThrowsNoMore) {
  Feed feed;
  feed.throwing = true;
  const auto page = feed.comes();
  feed.says(page, R"({"subscribe":["state"]})");
  feed.clock.advance(3s);
  ASSERT_EQ(page->frames.size(), 1U);
  EXPECT_EQ(frame(page, 0).at("problem").at("status"), 503);
  feed.throwing = false;
  feed.clock.advance(1s);
  ASSERT_EQ(page->frames.size(), 2U);
  EXPECT_EQ(type(frame(page, 1)), "snapshot");
}

TEST(LiveHub, TellsOfAProviderThatThrowsAndNotOfEachTime) {
  Feed feed;
  std::vector<std::string> told;
  feed.hub.when_defect([&](const std::string& topic, const std::string& what) {
    told.push_back(topic + ": " + what);
  });
  feed.throwing = true;
  const auto page = feed.comes();
  feed.says(page, R"({"subscribe":["state"]})");
  ASSERT_EQ(told, std::vector<std::string>{"state: a defect"});
  feed.clock.advance(600s);
  EXPECT_GT(feed.asked, 500);
  EXPECT_GE(told.size(), 10U);
  EXPECT_LE(told.size(), 16U);
}

TEST(LiveHub, GivesOneWhoFellBehindASnapshotAndSlowsNobody) {
  Feed feed;
  const auto slow = feed.comes(), quick = feed.comes();
  feed.says(slow, R"({"subscribe":["state"]})");
  feed.says(quick, R"({"subscribe":["state"]})");
  slow->takes(false);
  // One step a moment, so that it is slow by frames and not by seconds.
  for (int n = 2; n < 102; ++n) {
    feed.present = json::object{{"n", n}};
    feed.hub.nudge("state");
    feed.clock.settle();
  }
  EXPECT_EQ(quick->frames.size(), 101U);
  EXPECT_EQ(slow->frames.size(), 1U);
  slow->takes(true);
  feed.clock.settle();
  ASSERT_EQ(slow->frames.size(), 3U);  // the one it was in the middle of, and all the rest at once
  EXPECT_EQ(type(frame(slow, 2)), "snapshot");
  EXPECT_EQ(frame(slow, 2).at("data"), json::parse(R"({"n":101})"));
  EXPECT_EQ(seq(frame(slow, 2)), seq(frame(quick, 100)));
}

TEST(LiveHub, DropsOneWhoTakesNothingForTwentySeconds) {
  Feed feed;
  const auto slow = feed.comes();
  feed.says(slow, R"({"subscribe":["state"]})");
  slow->takes(false);
  feed.says(slow, R"({"ping":1})");
  feed.clock.advance(18s);
  EXPECT_FALSE(slow->dropped);
  feed.clock.advance(4s);
  EXPECT_TRUE(slow->dropped);
  EXPECT_EQ(feed.hub.figures().clients, 0U);
  EXPECT_EQ(feed.hub.figures().dropped, 1U);
}

TEST(LiveHub, EndsAFeedWithItsSessionAtOnceOrWithinASecond) {
  Feed feed;
  std::string ended;
  feed.hub.watch_sessions([&](const Caller& caller) { return caller.session != ended; });
  const auto one = feed.comes(Role::viewer, "s1"), two = feed.comes(Role::viewer, "s2");
  ended = "s1";
  feed.hub.recheck();
  feed.clock.settle();
  EXPECT_EQ(one->closed, 4401);
  EXPECT_EQ(two->closed, 0);
  ended = "s2";
  feed.clock.advance(1s);
  EXPECT_EQ(two->closed, 4401);
  EXPECT_EQ(feed.hub.figures().clients, 0U);
}

TEST(LiveHub, TellsNothingMoreToOneWhoseSessionHasEndedWhileItWasSlow) {
  Feed feed;
  bool open = true;
  feed.hub.watch_sessions([&](const Caller&) { return open; });
  const auto page = feed.comes();
  page->takes(false);
  feed.says(page, R"({"ping":1})");
  feed.says(page, R"({"subscribe":["state"]})");
  open = false;
  feed.hub.recheck();
  page->takes(true);
  feed.clock.settle();
  EXPECT_EQ(page->frames.size(), 1U);  // the pong that was on its way
  EXPECT_EQ(page->closed, 4401);
}

TEST(LiveHub, DropsAnEndedOneThatDoesNotEvenTakeTheGoodbye) {
  Feed feed;
  bool open = true;
  feed.hub.watch_sessions([&](const Caller&) { return open; });
  const auto page = feed.comes();
  page->takes(false);
  feed.says(page, R"({"ping":1})");
  open = false;
  feed.clock.advance(5s);
  EXPECT_TRUE(page->dropped);
  EXPECT_EQ(feed.hub.figures().clients, 0U);
}

TEST(LiveHub, AnswersNonsenseAndClosesOneWhoGoesOnWithIt) {
  Feed feed;
  const auto page = feed.comes();
  feed.says(page, "{");
  EXPECT_EQ(frame(page, 0).at("problem").at("status"), 400);
  for (int i = 0; i < 9; ++i) feed.says(page, "{");
  EXPECT_EQ(page->closed, 1008);
}

TEST(LiveHub, ClosesOneWhoSendsTooFastOrTooMuch) {
  Feed feed;
  const auto fast = feed.comes();
  for (int i = 0; i < 101; ++i) fast->says(R"({"ping":1})");
  feed.clock.settle();
  EXPECT_EQ(fast->closed, 1008);
  const auto page = feed.comes();
  for (int i = 0; i < 300; ++i) {
    feed.says(page, R"({"ping":1})");
    feed.clock.advance(50ms);
  }
  EXPECT_EQ(page->closed, 0);
  const auto much = feed.comes();
  feed.says(much, R"({"ping":1,"x":")" + std::string(20'000, 'x') + "\"}");
  EXPECT_EQ(much->closed, 1009);
}

TEST(LiveHub, TakesSoManyTopicsOfOneClientAndNoMore) {
  Feed feed;
  const auto page = feed.comes();
  for (int i = 0; i < 65; ++i) feed.says(page, fmt::format(R"({{"subscribe":["device:{}"]}})", i));
  EXPECT_EQ(feed.hub.figures().topics, 64U);
  EXPECT_EQ(frame(page, 64).at("problem").at("status"), 429);
}

TEST(LiveHub, HasRoomForSoManyOfASessionAndNoMore) {
  Feed feed;
  Caller caller;
  caller.session = "s1";
  for (std::size_t i = 0; i < LiveHub::kMostPerSession; ++i) {
    EXPECT_FALSE(feed.hub.full(caller));
    feed.comes();
  }
  EXPECT_EQ(feed.hub.full(caller)->status, 429);
  EXPECT_EQ(feed.comes()->closed, 1013);
  caller.session = "s2";
  EXPECT_FALSE(feed.hub.full(caller));
}

TEST(LiveHub, GivesASnapshotAgainToOneWhoAsksAgain) {
  Feed feed;
  const auto page = feed.comes();
  feed.says(page, R"({"subscribe":["state"]})");
  feed.says(page, R"({"subscribe":["state"]})");
  ASSERT_EQ(page->frames.size(), 2U);
  EXPECT_EQ(type(frame(page, 1)), "snapshot");
}

TEST(LiveHub, SaysGoodbyeWhenTheGatewayStops) {
  Feed feed;
  const auto page = feed.comes();
  feed.says(page, R"({"subscribe":["state"]})");
  TaskGroup other(feed.loop.get_executor());
  LiveHub hub(feed.loop.get_executor(), feed.clock);
  other.spawn(hub.run());
  const auto socket = std::make_shared<ScriptedWebSocket>(feed.loop.get_executor());
  feed.tasks->spawn(hub.serve(socket, Caller{}));
  feed.clock.settle();
  other.cancel();
  feed.clock.settle();
  EXPECT_EQ(socket->closed, 1001);
  EXPECT_EQ(page->closed, 0);
}

}  // namespace
}  // namespace lightship::portal
