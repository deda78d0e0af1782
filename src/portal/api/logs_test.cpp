// GET /api/logs, asked without a socket.
#include "portal/api/logs.h"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <future>

#include "portal/testing/shop.h"

namespace lightship::portal {
namespace {

namespace json = boost::json;

struct Logged : Shop {
  Logged() {
    add_logs(router, book.ring(), clock, worker);
    Log panel(book, "modbus/panel"), mqtt(book, "mqtt");
    for (int i = 1; i <= 5; ++i) {
      panel.info("polled", lightship::field("n", i));
      mqtt.warn("no broker", lightship::field("n", i), lightship::field("device", "panel/m1"));
    }
  }
  json::object get(std::string query) {
    const auto answer = ask(router, "/api/logs", std::move(query));
    EXPECT_EQ(answer.status, 200) << answer.body;
    return json::parse(answer.text()).as_object();
  }
  static std::vector<int> seqs(const json::object& answer) {
    std::vector<int> found;
    for (const auto& line : answer.at("items").as_array())
      found.push_back(line.at("seq").to_number<int>());
    return found;
  }
};

TEST(LogsApi, GivesTheNewestInOrder) {
  Logged all;
  EXPECT_EQ(Logged::seqs(all.get("limit=3")), (std::vector{8, 9, 10}));
  EXPECT_TRUE(all.get("limit=3").at("next").is_null());
}

TEST(LogsApi, FiltersByLevelComponentDeviceAndText) {
  Logged all;
  EXPECT_EQ(Logged::seqs(all.get("level=warn&limit=2")), (std::vector{8, 10}));
  EXPECT_EQ(Logged::seqs(all.get("component=modbus&limit=2")), (std::vector{7, 9}));
  EXPECT_EQ(Logged::seqs(all.get("device=M1&limit=1")), (std::vector{10}));
  EXPECT_EQ(Logged::seqs(all.get("text=n%3D3")), (std::vector{5, 6}));
  EXPECT_EQ(Logged::seqs(all.get("text=n%3D[45]&regex=1")), (std::vector{7, 8, 9, 10}));
}

TEST(LogsApi, GoesBackAndOn) {
  Logged all;
  EXPECT_EQ(Logged::seqs(all.get("before=4&limit=2")), (std::vector{2, 3}));
  const auto first = all.get("after=0&limit=4");
  EXPECT_EQ(Logged::seqs(first), (std::vector{1, 2, 3, 4}));
  EXPECT_EQ(first.at("next").as_string(), "4");
  EXPECT_EQ(Logged::seqs(all.get("after=8")), (std::vector{9, 10}));
  EXPECT_TRUE(all.get("after=8").at("next").is_null());
}

TEST(LogsApi, GivesAFileOfWhatIsFiltered) {
  Logged all;
  const auto answer = all.ask(all.router, "/api/logs", "format=jsonl&component=mqtt");
  EXPECT_EQ(answer.content_type, "application/x-ndjson");
  const auto text = all.all_pieces(answer);
  EXPECT_EQ(std::ranges::count(text, '\n'), 5);
  EXPECT_EQ(json::parse(text.substr(0, text.find('\n'))).at("seq").to_number<int>(), 2);
}

// The first of them searches with the worker held up, four wait, the rest are sent away.
TEST(LogsApi, OneSessionSearchesOnceAtATime) {
  Logged all;
  std::promise<void> go;
  all.worker.post([held = go.get_future().share()] { held.wait(); });
  Request request;
  request.method = "GET";
  request.path = "/api/logs";
  std::map<int, int> answers;
  for (int i = 0; i < 7; ++i)
    asio::co_spawn(all.loop, all.router.answer(request),
                   [&](std::exception_ptr, Response response) { ++answers[response.status]; });
  all.loop.restart();
  all.loop.poll();
  EXPECT_EQ(answers, (std::map<int, int>{{429, 2}}));
  go.set_value();
  all.loop.restart();
  all.loop.run_for(std::chrono::seconds(5));
  EXPECT_EQ(answers, (std::map<int, int>{{200, 5}, {429, 2}}));
}

// Else one who sends long expressions would hold everybody up.
TEST(LogsApi, AnExpressionIsReadOnTheWorkerAndInTurn) {
  Logged all;
  std::promise<void> go;
  all.worker.post([held = go.get_future().share()] { held.wait(); });
  Request request;
  request.method = "GET";
  request.path = "/api/logs";
  request.query = "text=(&regex=1";
  std::map<int, int> answers;
  for (int i = 0; i < 7; ++i)
    asio::co_spawn(all.loop, all.router.answer(request),
                   [&](std::exception_ptr, Response response) { ++answers[response.status]; });
  all.loop.restart();
  all.loop.poll();
  EXPECT_EQ(answers, (std::map<int, int>{{429, 2}}));
  go.set_value();
  all.loop.restart();
  all.loop.run_for(std::chrono::seconds(5));
  EXPECT_EQ(answers, (std::map<int, int>{{422, 5}, {429, 2}}));
}

TEST(LogsApi, WhatIsWrongIsToldByItsName) {
  Logged all;
  for (const auto& [query, name] :
       std::map<std::string, std::string>{{"level=loud", "level"},
                                          {"limit=0", "limit"},
                                          {"limit=x", "limit"},
                                          {"after=-1", "after"},
                                          {"regex=2", "regex"},
                                          {"text=(&regex=1", "text"},
                                          {"text=" + std::string(201, 'a'), "text"},
                                          {"format=xml", "format"}}) {
    const auto answer = all.ask(all.router, "/api/logs", query);
    EXPECT_EQ(answer.status, 422) << query;
    const auto errors = json::parse(answer.text()).at("errors").as_array();
    EXPECT_EQ(errors[0].at("field").as_string(), name);
  }
}

}  // namespace
}  // namespace lightship::portal
