// GET /api/history, on a file of two hours that the recorder wrote.
#include "portal/api/history.h"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include "portal/testing/shop.h"
#include "store/history/site_for_test.h"

namespace lightship::portal {
namespace {

namespace json = boost::json;

constexpr const char* kVoltage = "point=panel/meter/voltage&";

struct Recorded {
  history::Folder folder;
  Shop shop{{}, folder.path()};
  HistoryDesk desk{shop.clock, shop.field, folder.path()};

  Recorded() {
    add_history(shop.router, desk);
    history::Meter meter;
    auto writer = history::Writer::open(folder.file());
    EXPECT_TRUE(writer);
    for (int second = 0; second < 7200; second += 10) {
      meter.poll(second, second % 60 < 30 ? 230.0 : 231.0, 3600, 5 + second / 10 * 0.01);
      if (second % 60 == 50) EXPECT_TRUE(writer->append(meter.recorder.take_batch()));
    }
    meter.recorder.close_all(history::from_millis(history::kStart + 7'200'000));
    EXPECT_TRUE(writer->append(meter.recorder.take_batch()));
  }
  Response ask(std::string query) {
    return shop.ask(shop.router, "/api/history", std::move(query));
  }
  json::object get(std::string query) {
    const auto answer = ask(std::move(query));
    EXPECT_EQ(answer.status, 200) << answer.text();
    return json::parse(answer.text()).as_object();
  }
  std::string csv(std::string query) { return shop.all_pieces(ask(std::move(query))); }
};

TEST(HistoryApi, AnHourIsRawAndADayIsMinutes) {
  Recorded all;
  const auto hour =
      all.get(std::string(kVoltage) + "from=2026-01-04T12:00:00Z&to=2026-01-04T13:00:00Z");
  EXPECT_TRUE(hour.at("step_s").is_null());
  EXPECT_EQ(hour.at("tier").as_string(), "raw");
  EXPECT_EQ(hour.at("unit").as_string(), "V");
  ASSERT_EQ(hour.at("rows").as_array().size(), 360U);
  EXPECT_EQ(hour.at("rows").at(0).at(0).to_number<std::int64_t>(), history::kStart);
  const auto day =
      all.get(std::string(kVoltage) + "from=2026-01-04T00:00:00Z&to=2026-01-05T00:00:00Z");
  EXPECT_EQ(day.at("step_s").to_number<int>(), 60);
  EXPECT_EQ(day.at("tier").as_string(), "minute");
  ASSERT_EQ(day.at("rows").as_array().size(), 120U);
  const auto& row = day.at("rows").at(3).as_array();
  EXPECT_EQ(row[1].to_number<double>(), 230);
  EXPECT_EQ(row[2].to_number<double>(), 230.5);
  EXPECT_EQ(row[5].to_number<int>(), 6);
  EXPECT_EQ(row[6].to_number<int>(), 100);
}

TEST(HistoryApi, SoManyAskAtOnceSoManyWaitAndTheRestIsSentAway) {
  Recorded all;
  Request request;
  request.method = "GET";
  request.path = "/api/history";
  request.query = std::string(kVoltage) + "from=2026-01-04T12:00:00Z&to=2026-01-04T13:00:00Z";
  std::map<int, std::size_t> answers;
  for (int i = 0; i < 300; ++i)
    asio::co_spawn(all.shop.loop, all.shop.router.answer(request),
                   [&](std::exception_ptr, Response response) { ++answers[response.status]; });
  const auto last = all.ask(request.query);
  EXPECT_EQ(last.status, 503);
  for (int turn = 0; turn < 5000 && answers[200] + answers[503] < 300; ++turn) {
    all.shop.loop.restart();
    all.shop.loop.run_for(std::chrono::milliseconds(2));
  }
  constexpr auto kServed = HistoryDesk::kAtOnce + HistoryDesk::kMostWaiting;
  EXPECT_EQ(answers, (std::map<int, std::size_t>{{200, kServed}, {503, 300 - kServed}}));
}

TEST(HistoryApi, SoManyFilesAreOnTheirWayAndNoMore) {
  Recorded all;
  const auto query =
      std::string(kVoltage) + "from=2026-01-04T12:00:00Z&to=2026-01-04T13:00:00Z&format=csv";
  std::vector<Response> under_way;
  for (std::size_t i = 0; i < HistoryDesk::kMostFiles; ++i) {
    under_way.push_back(all.ask(query));
    EXPECT_EQ(under_way.back().status, 200);
  }
  EXPECT_EQ(all.ask(query).status, 503);
  under_way.pop_back();
  EXPECT_EQ(all.ask(query).status, 200);
}

TEST(HistoryApi, AfterTheEndNothingIsReadAnyMore) {
  Recorded all;
  all.desk.close();
  EXPECT_EQ(
      all.ask(std::string(kVoltage) + "from=2026-01-04T12:00:00Z&to=2026-01-04T13:00:00Z").status,
      503);
}

TEST(HistoryApi, AStepIsTakenAsAsked) {
  Recorded all;
  const auto quarters =
      all.get(std::string(kVoltage) + "from=2026-01-04T12:00:00Z&to=2026-01-04T14:00:00Z&step=900");
  EXPECT_EQ(quarters.at("rows").as_array().size(), 8U);
  EXPECT_EQ(quarters.at("step_s").to_number<int>(), 900);
}

TEST(HistoryApi, CsvIsWhollyThereWhateverItsLength) {
  Recorded all;
  const auto text =
      all.csv(std::string(kVoltage) +
              "from=2026-01-04T12:00:00Z&to=2026-01-04T14:00:00Z&step=raw&format=csv");
  EXPECT_EQ(std::ranges::count(text, '\n'), 721);
  EXPECT_TRUE(
      text.starts_with("time,point,value,unit,quality\r\n"
                       "2026-01-04T12:00:00.000Z,panel/meter/voltage,230,V,good\r\n"));
  const auto minutes =
      all.csv(std::string(kVoltage) +
              "from=2026-01-04T12:00:00Z&to=2026-01-04T14:00:00Z&step=60&format=csv");
  EXPECT_EQ(std::ranges::count(minutes, '\n'), 121);
}

TEST(HistoryApi, APointThatIsNotThereIs404WithTheNearest) {
  Recorded all;
  const auto answer = all.ask("point=panel/meter/voltag");
  EXPECT_EQ(answer.status, 404);
  EXPECT_NE(answer.text().find("panel/meter/voltage"), std::string::npos);
  EXPECT_EQ(all.ask("point=panel/meter/*").status, 404);
}

TEST(HistoryApi, WrongTimesAreToldByTheirName) {
  Recorded all;
  for (const auto& [query, name] :
       std::map<std::string, std::string>{{"from=yesterdayish", "from"},
                                          {"to=2026-13-01", "to"},
                                          {"from=2026-01-05&to=2026-01-04", "from"},
                                          {"step=0", "step"},
                                          {"step=x", "step"},
                                          {"format=xml", "format"}}) {
    const auto answer = all.ask(kVoltage + query);
    EXPECT_EQ(answer.status, 422) << query;
    EXPECT_EQ(json::parse(answer.text()).at("errors").at(0).at("field").as_string(), name);
  }
  EXPECT_EQ(all.ask("").status, 422);
}

TEST(HistoryApi, TheNewestValueIsThereBeforeItIsCommitted) {
  Recorded all;
  auto& shop = all.shop;
  const auto device = shop.catalog.device({.connection = "panel", .client = "meter"});
  const auto point = shop.catalog.point(device, "voltage", "V");
  shop.catalog.set_points(device, {point});
  Readings readings;
  readings.device = device;
  readings.at = history::from_millis(history::kStart + 3'555'000);
  readings.arrived = shop.clock.mono();
  readings.online = true;
  readings.readings = {{point, Real{233, 1}}};
  shop.cache.apply(readings);
  const auto hour =
      all.get(std::string(kVoltage) + "from=2026-01-04T12:00:00Z&to=2026-01-04T12:59:00Z");
  EXPECT_EQ(hour.at("rows").as_array().size(), 354U);
  const auto late = all.get(
      "point=panel/meter/voltage&from=2026-01-04T12:59:11Z&"
      "to=2026-01-04T12:59:19Z");
  ASSERT_EQ(late.at("rows").as_array().size(), 1U);
  EXPECT_EQ(late.at("rows").at(0).at(1).to_number<double>(), 233);
}

TEST(HistoryApi, AKnownPointOfWhichNothingIsRecordedIsEmpty) {
  Shop shop;
  const history::Folder folder;
  HistoryDesk desk(shop.clock, shop.field, folder.path());
  add_history(shop.router, desk);
  const auto device = shop.catalog.device({.connection = "panel", .client = "meter"});
  shop.catalog.set_points(device, {shop.catalog.point(device, "voltage", "V")});
  const auto answer = shop.ask(shop.router, "/api/history", "point=panel/meter/voltage");
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(json::parse(answer.text()).at("rows").as_array().empty());
}

TEST(HistoryApi, WithoutPersistenceSaysSo) {
  Shop shop;
  HistoryDesk desk(shop.clock, shop.field, {});
  add_history(shop.router, desk);
  EXPECT_EQ(shop.ask(shop.router, "/api/history", "point=a").status, 503);
}

}  // namespace
}  // namespace lightship::portal
