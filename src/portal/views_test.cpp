// One look for all who ask, and what is made of it.
#include "portal/views.h"

#include <cmath>
#include <thread>

#include <gtest/gtest.h>

#include "portal/overview.h"
#include "portal/testing/field_site.h"
#include "portal/view_json.h"

namespace lightship::portal {
namespace {

using namespace std::chrono_literals;

Task<void> ask(Views& views, int& answers) {
  if (co_await views.get()) ++answers;
}

TEST(Views, OneLookServesAllWhoAskAtOnce) {
  FieldSite site;
  site.device("panel", "meter-1");
  int answers = 0;
  TaskGroup askers(site.loop.get_executor());
  for (int i = 0; i < 50; ++i) askers.spawn(ask(site.views, answers));
  site.clock.settle();
  EXPECT_EQ(answers, 50);
  EXPECT_EQ(site.looks, 1);
}

TEST(Views, APictureIsSharedUntilItIsTooOld) {
  FieldSite site;
  const auto first = site.run(site.views.get(1s));
  site.clock.advance(900ms);
  EXPECT_EQ(site.run(site.views.get(1s)), first);
  site.clock.advance(200ms);
  EXPECT_NE(site.run(site.views.get(1s)), first);
  EXPECT_EQ(site.looks, 2);
}

TEST(Views, ATextIsMadeOnceAndKeptWithItsPicture) {
  FieldSite site;
  const auto picture = site.run(site.views.get());
  int made = 0;
  const auto make = [&](const View&) { return std::to_string(++made); };
  EXPECT_EQ(picture->text(1, make), picture->text(1, make));
  EXPECT_EQ(made, 1);
  EXPECT_EQ(*picture->text(2, make), "2");
}

TEST(Views, PointsAreRememberedOnceASecondWhileSomebodyLooks) {
  FieldSite site;
  site.device("panel", "meter-1");
  for (int i = 0; i < 9; ++i) {  // 250 ms apart
    ASSERT_TRUE(site.run(site.views.points("panel/meter-1", 0us)));
    site.clock.advance(250ms);
  }
  const auto points = site.run(site.views.points("panel/meter-1", 0us));
  ASSERT_TRUE(points);
  EXPECT_EQ((*points)->points.front().recent, (std::vector<double>{230.1, 230.1, 230.1}));
}

TEST(Views, ASecondInWhichNobodyLookedIsAGapAndAfterAMinuteTheMemoryBeginsAnew) {
  FieldSite site;
  site.device("panel", "meter-1");
  const auto look = [&] {
    std::string text;
    const auto points = site.run(site.views.points("panel/meter-1", 0us));
    for (const double value : (*points)->points.front().recent)
      text += std::isnan(value) ? '-' : 'v';
    return text;
  };
  look();
  site.clock.advance(1s);
  EXPECT_EQ(look(), "vv");
  site.clock.advance(4s);
  EXPECT_EQ(look(), "vv---v");
  site.clock.advance(1900ms);  // a look that came late is no gap
  EXPECT_EQ(look(), "vv---vv");
  site.clock.advance(58s);
  EXPECT_EQ(look(), "vv" + std::string(57, '-') + "v");
  site.clock.advance(61s);
  EXPECT_EQ(look(), "v");
}

TEST(Views, AClientAloneNamesItsDeviceWhereItIsUnique) {
  FieldSite site;
  site.device("panel", "meter-1");
  site.device("roof", "meter-1");
  site.device("roof", "inverter");
  EXPECT_EQ(site.run(site.views.find("inverter"))->name, "roof/inverter");
  EXPECT_EQ(site.run(site.views.find("meter-1")).error().text,
            "'meter-1' is a device of several connections: panel/meter-1 and roof/meter-1");
  EXPECT_EQ(site.run(site.views.find("roof/invertor")).error().text,
            "there is no device 'roof/invertor'; did you mean roof/inverter?");
}

// The patience with the field loop is real time.
std::shared_ptr<const Picture> looked(FieldSite& site, Views& views) {
  std::optional<std::shared_ptr<const Picture>> answer;
  asio::co_spawn(site.loop, views.get(0us),
                 [&](std::exception_ptr, std::shared_ptr<const Picture> got) { answer = got; });
  site.loop.restart();
  while (!answer) site.loop.run_one();
  return *answer;
}

TEST(Views, AFieldLoopThatHangsLeavesTheOldPictureAndSaysSo) {
  FieldSite site;
  site.device("panel", "meter-1");
  asio::io_context field(1);
  Context context = site.context;
  context.executor = field.get_executor();
  Field far(context);
  Views views(far, site.clock);
  EXPECT_EQ(looked(site, views), nullptr);  // there was never one

  auto work = asio::make_work_guard(field);
  std::thread thread([&] { field.run(); });
  const auto first = looked(site, views);
  work.reset();
  field.stop();
  thread.join();
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->hangs);
  site.clock.advance(1s);
  const auto old = looked(site, views);
  ASSERT_TRUE(old);
  EXPECT_TRUE(old->hangs);
  EXPECT_EQ(old->view.devices.size(), 1u);
}

TEST(ViewJson, AValueComesWithItsOwnDigits) {
  PointView point;
  point.name = "voltage_l1";
  point.heard = true;
  point.value = Real{230.10000610351562, Real::kShortestFloat};
  point.raw = {0x43, 0x66, 0x19, 0x9A};
  point.registers = RegisterImage::Range{Space::holding, 3027, 2};
  point.writable = PointView::Writable{0, 400, std::nullopt};
  point.age = 1500ms;
  point.interval = 1s;
  EXPECT_EQ(
      json_text(point_json(point)),
      R"({"name":"voltage_l1","title":"Voltage L1","function":3,"address":3027,"registers":2,"type":"","value":230.1,"unit":"","raw":"43 66 19 9A","quality":"good","reason":null,"age_s":1.5,"measured":null,"confidence":null,"writable":{"minimum":0,"maximum":400,"step":null},"recent":[]})");
}

TEST(ViewJson, APointIsTitledByItsNameWithInitialsInCapitals) {
  const auto title = [](const char* name) {
    PointView point;
    point.name = name;
    return std::string(point_json(point).at("title").as_string());
  };
  EXPECT_EQ(title("voltage_ll_avg"), "Voltage LL avg");
  EXPECT_EQ(title("current_thd_l2"), "Current THD L2");
  EXPECT_EQ(title("fill_level"), "Fill level");
}

TEST(ViewJson, WhatIsThreeTimesTooOldIsStaleAndWhatFailedHasNoValue) {
  PointView point;
  point.heard = true;
  point.value = std::int64_t{7};
  point.interval = 2s;
  point.age = 7s;
  EXPECT_EQ(point_json(point)["quality"], "stale");
  EXPECT_EQ(point_json(point)["value"], 7);
  point.reason = Reason::exception;
  point.code = 2;
  EXPECT_EQ(point_json(point)["quality"], "bad");
  EXPECT_EQ(point_json(point)["reason"], "exception_2");
  EXPECT_TRUE(point_json(point)["value"].is_null());
}

TEST(ViewJson, ItemsAreAListForAnAnswerAndKeyedForATopic) {
  FieldSite site;
  site.device("panel", "meter-1");
  EXPECT_EQ(devices_json(site.shown, Items::list)["items"].as_array().size(), 1u);
  EXPECT_EQ(
      devices_json(site.shown, Items::keyed)["items"].as_object().at("panel/meter-1").at("name"),
      "meter-1");
}

DeviceView device(const char* label, DeviceView::State state) {
  DeviceView view;
  view.label = label;
  view.service = "modbus/panel";
  view.state = state;
  return view;
}

TEST(Overview, PutsTheWorstFirstAndNamesIt) {
  using Of = DeviceView::State;
  View view;
  view.services.push_back(
      {.name = "modbus/panel", .is_source = true, .type = "modbus", .life = "running"});
  view.services.push_back({.name = "mqtt",
                           .title = "MQTT publisher",
                           .type = "mqtt",
                           .life = "running",
                           .state = ServiceView::State::alarm,
                           .state_text = "Retrying",
                           .error = "refused"});
  view.devices = {device("A", Of::ok), device("B", Of::offline), device("C", Of::slow)};
  const auto overview = overview_of(view);
  EXPECT_EQ(overview.state, Overview::State::alarm);
  EXPECT_EQ(overview.headline, "3 things need attention");
  EXPECT_EQ(overview.reasons,
            (std::vector<std::string>{"MQTT publisher: retrying (refused)", "1 device is silent: B",
                                      "1 device is slow: C"}));
  ASSERT_EQ(overview.sources.size(), 1u);
  EXPECT_EQ(overview.sources[0].good, 1u);
  EXPECT_EQ(overview.sources[0].all, 3u);
  EXPECT_EQ(overview.sources[0].note, "1 silent");
}

TEST(Overview, IsAnAlarmWhenNoDeviceAnswersAndSaysSoWhenThereIsNothing) {
  View view;
  EXPECT_EQ(overview_of(view).headline, "Nothing to do yet");
  view.devices = {device("A", DeviceView::State::offline)};
  EXPECT_EQ(overview_of(view).state, Overview::State::alarm);
}

}  // namespace
}  // namespace lightship::portal
