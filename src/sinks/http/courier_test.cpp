// What the courier does with each answer; the server is a list of answers.
#include "sinks/http/courier.h"

#include <gtest/gtest.h>

#include "base/json_writer.h"
#include "store/testing/desk.h"

namespace lightship::http {
namespace {

using namespace std::chrono_literals;
using Outcome = Result<link::HttpAnswer>;

Outcome answer(int status, std::optional<std::string> retry_after = {}, std::string body = {}) {
  link::HttpAnswer made;
  made.status = status;
  made.retry_after = std::move(retry_after);
  made.body = std::move(body);
  return made;
}

struct Round {
  lightship::testing::Desk desk;
  std::deque<Outcome> answers;            // then 204 for ever
  std::vector<link::HttpRequest> posted;  // as it was sent ...
  std::vector<long> at;                   // ... and when, in ms
  std::shared_ptr<OutboxQueue> queue;
  std::unique_ptr<Courier> courier;
  TaskGroup group{desk.loop.get_executor()};
  MonoTime begin = desk.clock.mono();

  explicit Round(std::size_t batch = 1, EndpointConfig endpoint = {}, bool disk = true) {
    if (!disk) desk.context.data_dir.clear();
    queue = desk.open().queue("http/electrical");
    if (endpoint.url.empty()) endpoint.url = "http://x.example/{connection_id}/v1?key=hidden";
    courier = std::make_unique<Courier>(
        desk.context,
        Courier::Settings{.name = "http/electrical",
                          .type = "electrical",
                          .alerts = false,
                          .endpoint = endpoint,
                          .batch = batch,
                          .batch_wait = 5s},
        queue,
        [this](std::vector<link::HttpRequest> requests) { return post(std::move(requests)); },
        std::make_shared<Precedence>());
    group.spawn(courier->run());
  }
  ~Round() {
    group.cancel();
    pass(0s);
    courier.reset();
    queue.reset();
  }
  Task<Courier::Outcomes> post(std::vector<link::HttpRequest> requests) {
    Courier::Outcomes outcomes;
    for (const auto& request : requests) {
      posted.push_back(request);
      at.push_back(
          std::chrono::duration_cast<std::chrono::milliseconds>(desk.clock.mono() - begin).count());
      co_await desk.clock.sleep_for(1ms);
      outcomes.push_back(answers.empty() ? answer(204) : answers.front());
      if (!answers.empty()) answers.pop_front();
      if (!outcomes.back() || outcomes.back()->status != 204) break;
    }
    co_return outcomes;
  }
  void push(int from, int to, const std::string& device = "main/meter") {
    for (int i = from; i <= to; ++i) {
      auto message = lightship::testing::Desk::message(device, i);
      message.target = device;
      message.timestamp = desk.clock.now();
      EXPECT_TRUE(queue->push(std::move(message)));
    }
    desk.settle();
    pass(20ms);
  }
  void pass(Duration time) {
    desk.clock.advance(time);
    if (desk.file) desk.settle();
    desk.clock.settle();
  }
  std::string header(std::size_t which, std::string_view name) const {
    for (const auto& [known, value] : posted.at(which).headers) {
      if (known == name) return value;
    }
    return "(none)";
  }
  std::vector<std::string> bodies() const {
    std::vector<std::string> found;
    for (const auto& request : posted) found.push_back(request.body);
    return found;
  }
  std::string status() const {
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    courier->describe_status(json);
    json.end_object();
    return text;
  }
};

TEST(HttpCourier, PostsOneMessageAfterTheOther) {
  Round round;
  round.push(1, 2);
  EXPECT_EQ(round.bodies(),
            (std::vector<std::string>{R"({"n":1,"sequence":1})", R"({"n":2,"sequence":2})"}));
  EXPECT_EQ(round.posted[0].url, "http://x.example/main/v1?key=hidden");
  EXPECT_EQ(round.header(0, "Content-Type"), "application/json");
  EXPECT_EQ(round.header(1, "Idempotency-Key"), "site-http/electrical-main/meter-2");
  EXPECT_EQ(round.queue->waiting(), 0u);
}

TEST(HttpCourier, SendsTheSameAgainAfterAGrowingPause) {
  Round round;
  round.answers = {answer(500), std::unexpected(Error{Errc::timeout, "no answer", 0}), answer(502)};
  round.push(1, 1);
  round.pass(30s);
  ASSERT_EQ(round.posted.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(round.header(i, "Idempotency-Key"), "site-http/electrical-main/meter-1");
  EXPECT_GE(round.at[1] - round.at[0], 500);
  EXPECT_GE(round.at[2] - round.at[1], 1000);
  EXPECT_GE(round.at[3] - round.at[2], 2000);
  EXPECT_LE(round.at[3] - round.at[2], 4010);
  EXPECT_EQ(round.queue->waiting(), 0u);
  EXPECT_EQ(round.bodies().back(), R"({"n":1,"sequence":1})");
}

TEST(HttpCourier, MarksWhatLeavesLaterThanItsInterval) {
  Round round;
  round.answers = {answer(503, "20")};
  round.push(1, 1);
  round.pass(30s);
  ASSERT_EQ(round.posted.size(), 2u);
  EXPECT_GE(round.at[1] - round.at[0], 20'000);
  EXPECT_LE(round.at[1] - round.at[0], 22'010);
  EXPECT_EQ(round.bodies().back(), R"({"n":1,"sequence":1,"historical":true})");
}

TEST(HttpCourier, SetsASingleMessageAsideAndGoesOn) {
  Round round;
  round.answers = {answer(204), answer(422, {}, "cursed")};
  round.push(1, 3);
  EXPECT_EQ(round.posted.size(), 3u);
  EXPECT_EQ(round.queue->waiting(), 0u);
  EXPECT_EQ(round.queue->set_aside_count(), 1u);
}

TEST(HttpCourier, StopsSettingAsideInAHurryWhenNothingIsTakenAnyMore) {
  Round round;
  for (int i = 0; i < 100; ++i) round.answers.push_back(answer(400));
  round.push(1, 50);
  EXPECT_EQ(round.posted.size(), 10u);
  ASSERT_EQ(round.desk.alerts.active().size(), 1u);
  EXPECT_EQ(round.desk.alerts.active()[0].rule, "http-set-aside");
  round.pass(60s);
  EXPECT_LT(round.posted.size(), 15u);
  round.answers.clear();
  round.pass(300s);
  EXPECT_EQ(round.queue->waiting(), 0u);
  EXPECT_TRUE(round.desk.alerts.active().empty());
}

TEST(HttpCourier, KeepsEverythingWhereTheEndpointRefusesUsAndRaisesAnAlert) {
  Round round;
  for (int i = 0; i < 3; ++i) round.answers.push_back(answer(401));
  round.push(1, 2);
  ASSERT_EQ(round.desk.alerts.active().size(), 1u);
  EXPECT_EQ(round.desk.alerts.active()[0].rule, "http-refused");
  EXPECT_EQ(round.desk.alerts.active()[0].point, "http/electrical");
  round.pass(3s);
  EXPECT_EQ(round.posted.size(), 1u);
  round.pass(60s);
  EXPECT_EQ(round.posted.size(), 5u);
  EXPECT_EQ(round.queue->set_aside_count(), 0u);
  EXPECT_TRUE(round.desk.alerts.active().empty());
}

// A restart or a reload: whoever comes next finds out whether the endpoint still refuses us.
TEST(HttpCourier, LeavesItsAlertToItsSuccessorUnlessThereIsNone) {
  for (const bool removed : {false, true}) {
    Round round;
    round.answers.push_back(answer(401));
    round.push(1, 1);
    ASSERT_EQ(round.desk.alerts.active().size(), 1u);
    round.group.cancel();
    round.pass(0s);
    if (removed) round.courier->removed();
    round.courier.reset();
    EXPECT_EQ(round.desk.alerts.active().size(), removed ? 0u : 1u);
  }
}

TEST(HttpCourier, TriesAtOnceWhenItIsNudged) {
  Round round;
  for (int i = 0; i < 6; ++i) round.answers.push_back(answer(500));
  round.push(1, 1);
  round.pass(40s);
  const auto before = round.posted.size();
  round.courier->nudge();
  round.pass(10ms);
  EXPECT_EQ(round.posted.size(), before + 1);
}

TEST(HttpCourier, FillsABatchAndWaitsForItOnlySoLong) {
  Round round(3);
  round.push(1, 4);
  EXPECT_EQ(round.bodies(),
            (std::vector<std::string>{
                R"([{"n":1,"sequence":1},{"n":2,"sequence":2},{"n":3,"sequence":3}])"}));
  round.pass(4s);
  EXPECT_EQ(round.posted.size(), 1u);
  round.pass(2s);
  ASSERT_EQ(round.posted.size(), 2u);
  EXPECT_EQ(round.bodies()[1], R"([{"n":4,"sequence":4}])");
}

TEST(HttpCourier, PutsOnlyMessagesOfOneUrlIntoABatch) {
  Round round(10);
  round.push(1, 2, "main/meter");
  round.push(3, 3, "side/meter");
  round.pass(10s);
  EXPECT_EQ(round.bodies(),
            (std::vector<std::string>{R"([{"n":1,"sequence":1},{"n":2,"sequence":2}])",
                                      R"([{"n":3,"sequence":1}])"}));
}

TEST(HttpCourier, HalvesABatchUntilTheGuiltyOneIsAlone) {
  Round round(4);
  // 1-4 refused, 1-2 refused, 1 taken, 2 refused, 3-4 taken.
  round.answers = {answer(400), answer(400), answer(204), answer(400), answer(204)};
  round.push(1, 4);
  round.pass(1s);
  EXPECT_EQ(
      round.bodies(),
      (std::vector<std::string>{
          R"([{"n":1,"sequence":1},{"n":2,"sequence":2},{"n":3,"sequence":3},{"n":4,"sequence":4}])",
          R"([{"n":1,"sequence":1},{"n":2,"sequence":2}])", R"([{"n":1,"sequence":1}])",
          R"([{"n":2,"sequence":2}])", R"([{"n":3,"sequence":3},{"n":4,"sequence":4}])"}));
  EXPECT_EQ(round.queue->set_aside_count(), 1u);
  EXPECT_EQ(round.queue->waiting(), 0u);
}

TEST(HttpCourier, GivesABatchTheSameKeyEachTimeAndAnotherOneToItsHalves) {
  Round round(2);
  round.answers = {answer(500), answer(413)};
  round.push(1, 2);
  round.pass(10s);
  ASSERT_EQ(round.posted.size(), 4u);
  EXPECT_EQ(round.header(0, "Idempotency-Key"), round.header(1, "Idempotency-Key"));
  EXPECT_EQ(round.header(0, "Idempotency-Key").substr(0, 23), "site-http/electrical-2-");
  EXPECT_EQ(round.header(2, "Idempotency-Key"), "site-http/electrical-main/meter-1");
}

TEST(HttpCourier, PacksTheBodyWhereItIsAskedTo) {
  EndpointConfig endpoint;
  endpoint.url = "http://x.example/";
  endpoint.gzip = true;
  Round round(1, endpoint);
  round.push(1, 1);
  EXPECT_EQ(round.header(0, "Content-Encoding"), "gzip");
  EXPECT_EQ(round.posted.at(0).body.substr(0, 2), "\x1f\x8b");
}

TEST(HttpCourier, ShowsNoSecretThatTheServerRepeats) {
  EndpointConfig endpoint;
  endpoint.url = "http://joe:open-sesame@x.example/hook?key=hidden-key";
  endpoint.headers = {{"Authorization", config::Secret("Bearer very-secret-token")}};
  Round round(1, endpoint);
  round.answers = {answer(401, {}, "bad very-secret-token at /hook?key=hidden-key")};
  round.push(1, 1);
  const auto told = round.status() + round.desk.alerts.active().at(0).text;
  EXPECT_NE(told.find("HTTP 401: bad (secret) at /hook?(secret)"), std::string::npos) << told;
  for (const char* secret : {"very-secret-token", "open-sesame", "hidden-key"})
    EXPECT_EQ(told.find(secret), std::string::npos) << told;
  EXPECT_EQ(round.header(0, "Authorization"), "Bearer very-secret-token");
}

TEST(HttpCourier, ShowsNoStartOfASecretThatTheCutGoesThrough) {
  EndpointConfig endpoint;
  endpoint.url = "http://joe:open-sesame@x.example/hook";
  endpoint.headers = {{"Authorization", config::Secret("Bearer very-secret-token")}};
  for (std::size_t before = 270; before <= 300; ++before) {
    Round round(1, endpoint);
    round.answers = {
        answer(401, {}, std::string(before, 'x') + "very-secret-token or open-sesame")};
    round.push(1, 1);
    const auto told = round.status() + round.desk.alerts.active().at(0).text;
    EXPECT_EQ(told.find("very"), std::string::npos) << told;
    EXPECT_EQ(told.find("open-"), std::string::npos) << told;
  }
}

TEST(HttpCourier, DoesNotHoldEveryDeviceBackForOneThatTheServerDoesNotKnow) {
  Round round;  // its URL has {connection_id}
  round.answers = {answer(404, {}, "no such meter")};
  round.push(1, 1, "gone/meter");
  round.push(2, 3, "main/meter");
  EXPECT_EQ(round.posted.size(), 3u);
  EXPECT_EQ(round.queue->waiting(), 0u);
  EXPECT_EQ(round.queue->set_aside_count(), 1u);
  EXPECT_TRUE(round.desk.alerts.active().empty());
}

TEST(HttpCourier, SetsAWholeBatchAsideForADeviceThatTheServerDoesNotKnow) {
  Round round(3);
  round.answers = {answer(410)};
  round.push(1, 3, "gone/meter");
  EXPECT_EQ(round.posted.size(), 1u);
  EXPECT_EQ(round.queue->set_aside_count(), 3u);
}

TEST(HttpCourier, KeepsEverythingForA404OfAUrlThatAllDevicesShare) {
  EndpointConfig endpoint;
  endpoint.url = "http://x.example/{device_id}/{type}";
  Round round(1, endpoint);
  round.answers = {answer(404)};
  round.push(1, 2);
  EXPECT_EQ(round.queue->set_aside_count(), 0u);
  EXPECT_EQ(round.queue->waiting(), 2u);
}

TEST(HttpCourier, UsesNoKeyOfAnEarlierStartWhereNothingIsKeptOnDisk) {
  Round round(1, {}, false);
  round.answers = {answer(503)};
  round.push(1, 1);
  round.pass(10s);
  ASSERT_EQ(round.posted.size(), 2u);
  const auto key = round.header(0, "Idempotency-Key");
  EXPECT_EQ(round.header(1, "Idempotency-Key"), key);
  const std::string begin = "site-http/electrical-", end = "-main/meter-1";
  ASSERT_TRUE(key.starts_with(begin) && key.ends_with(end)) << key;
  EXPECT_EQ(key.size(), begin.size() + 16 + end.size()) << key;
}

TEST(HttpCourier, GivesWhatItHasInHandBackWhenItGoes) {
  Round round(5);
  round.push(1, 3);
  EXPECT_EQ(round.queue->under_way(), 3u);
  round.group.cancel();
  round.pass(0s);
  round.courier.reset();
  EXPECT_EQ(round.queue->under_way(), 0u);
  EXPECT_EQ(round.queue->waiting(), 3u);
}

}  // namespace
}  // namespace lightship::http
