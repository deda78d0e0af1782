// What a handler makes of a request about devices: no socket in sight.
#include "portal/api/devices.h"

#include <gtest/gtest.h>

#include "portal/api/explain.h"
#include "portal/api/status.h"
#include "portal/testing/field_site.h"

namespace lightship::portal {
namespace {

using namespace std::chrono_literals;

struct Nobody : Gate {
  std::optional<Caller> who(const Request&) override { return std::nullopt; }
};

// Answers every write as it is told.
struct Pen : RegisterWriter {
  Result<Written> end = Written{};
  std::vector<PointWrite> writes;
  Task<Result<Written>> write_point(DeviceId, PointWrite write, Duration) override {
    writes.push_back(std::move(write));
    co_return end;
  }
  Task<Result<ByteVector>> write_registers(DeviceId, ByteVector, std::string, Duration) override {
    co_return ByteVector{};
  }
};

struct Desk : FieldSite {
  Nobody gate;
  Router router{gate, [](const Request&, const std::optional<Caller>&) -> Task<Response> {
                  co_return Response{};
                }};
  Pen pen;
  int told = 0;  // how often the program was asked for its status
  Desk() {
    add_devices(router, views, field);
    add_status(router, views, field, [this] {
      ++told;
      return std::string(R"({"version":"9","device_id":"site"})");
    });
    add_explain(router, views);
  }
  Response ask(std::string method, std::string path, std::string query = {}, std::string body = {},
               Role role = Role::admin) {
    Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.query = std::move(query);
    request.body = std::move(body);
    request.headers = {{"content-type", "application/json"}};
    request.peer = asio::ip::make_address("192.0.2.7");
    return run(router.answer(request, Caller{"anna", role, "", "script", "", false}));
  }
};

TEST(StatusApi, IsOneTextForAllWhoAskWithinAQuarterOfASecond) {
  Desk desk;
  desk.device("panel", "meter-1");
  const auto first = desk.ask("GET", "/api/status");
  EXPECT_NE(first.text().find("\"device_id\":\"site\""), std::string_view::npos);
  for (int i = 0; i < 9; ++i)
    EXPECT_EQ(desk.ask("GET", "/api/status").text().data(), first.text().data());
  EXPECT_EQ(desk.told, 1);
  EXPECT_EQ(desk.looks, 1);
  desk.clock.advance(std::chrono::milliseconds(251));
  EXPECT_NE(desk.ask("GET", "/api/status").text().data(), first.text().data());
  EXPECT_EQ(desk.told, 2);
}

TEST(StatusApi, PlansAreAskedForOnceInASecondHoweverManyLook) {
  Desk desk;
  desk.device("panel", "meter-1");
  for (int i = 0; i < 9; ++i) {
    EXPECT_EQ(desk.ask("GET", "/api/diag/lines").status, 200);
    EXPECT_EQ(desk.ask("GET", "/api/diag/explain", "about=device:panel/meter-1").status, 200);
  }
  EXPECT_EQ(desk.looks, 1);
  desk.clock.advance(std::chrono::milliseconds(1001));
  EXPECT_EQ(desk.ask("GET", "/api/diag/lines").status, 200);
  EXPECT_EQ(desk.looks, 2);
}

TEST(DeviceApi, HealthIsOneTextForAllWhoAskOfTheSamePicture) {
  Desk desk;
  desk.device("panel", "meter-1");
  const auto first = desk.ask("GET", "/api/device-health");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(desk.ask("GET", "/api/device-health").shared, first.shared);
  EXPECT_NE(first.text().find(R"("id":"panel/meter-1")"), std::string_view::npos);
  EXPECT_EQ(desk.looks, 1);
}

TEST(DeviceApi, RegistersOfOnePointAndOfAnUnknownDevice) {
  Desk desk;
  desk.device("panel", "meter-1");
  const auto one = desk.ask("GET", "/api/device/panel%2Fmeter-1/registers", "point=voltage_l1");
  EXPECT_EQ(one.status, 200);
  EXPECT_NE(one.text().find(R"("value":230.1)"), std::string_view::npos);
  EXPECT_EQ(desk.ask("GET", "/api/device/meter-1/registers").status, 200);
  EXPECT_EQ(desk.ask("GET", "/api/device/meter-1/registers", "point=power").status, 404);
  EXPECT_EQ(desk.ask("GET", "/api/device/meter-9/registers").status, 404);
  EXPECT_EQ(desk.ask("GET", "/api/device/meter-1/registers", "fresh=maybe").status, 400);
}

TEST(DeviceApi, OnlyAnOperatorReadsFromTheDeviceItself) {
  Desk desk;
  desk.device("panel", "meter-1");
  const auto refused =
      desk.ask("GET", "/api/device/meter-1/registers", "fresh=1", {}, Role::viewer);
  EXPECT_EQ(refused.status, 403);
  EXPECT_TRUE(desk.polled.empty());
}

TEST(DeviceApi, PollNowIsPassedToTheOwner) {
  Desk desk;
  const auto id = desk.device("panel", "meter-1");
  EXPECT_EQ(desk.ask("POST", "/api/device/meter-1/poll", {}, {}, Role::viewer).status, 403);
  EXPECT_EQ(desk.ask("POST", "/api/device/meter-1/poll").status, 202);
  EXPECT_EQ(desk.polled, std::vector<DeviceId>{id});
}

TEST(DeviceApi, AWriteNamesWhoAskedAndWhatWasExpected) {
  Desk desk;
  const auto id = desk.device("panel", "meter-1");
  desk.owners.enter(id, static_cast<RegisterWriter&>(desk.pen));
  desk.pen.end = Written{std::int64_t{1}, std::int64_t{2}, 61ms, std::int64_t{2}};
  const auto done = desk.ask("POST", "/api/device/meter-1/write", {},
                             R"({"point":"voltage_l1","value":2,"expected":1})");
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(
      done.text(),
      R"({"device":"panel/meter-1","point":"voltage_l1","value":2,"before":1,"now":2,"duration_ms":61})");
  ASSERT_EQ(desk.pen.writes.size(), 1u);
  EXPECT_EQ(desk.pen.writes[0].by, "anna 192.0.2.7");
  EXPECT_EQ(desk.pen.writes[0].expected, Value(std::int64_t{1}));
}

TEST(DeviceApi, ARefusedWriteSaysWhy) {
  Desk desk;
  const auto id = desk.device("panel", "meter-1");
  const auto write = [&](std::string body) {
    return desk.ask("POST", "/api/device/meter-1/write", {}, std::move(body));
  };
  const auto body = R"({"point":"voltage_l1","value":2})";
  EXPECT_EQ(write(body).status, 409);  // nobody owns it: not allowed
  desk.owners.enter(id, static_cast<RegisterWriter&>(desk.pen));
  const std::pair<Error, int> ends[] = {
      {{Errc::invalid, "closed", kWriteClosed}, 409},
      {{Errc::invalid, "too high", kWriteBadValue}, 422},
      {{Errc::invalid, "wait", kWriteTooOften}, 429},
      {{Errc::invalid, "it is 3", kWriteNotExpected}, 409},
      {{Errc::refused, "exception 4", 4}, 502},
      {{Errc::timeout, "silent", 0}, 504},
      {{Errc::unavailable, "no line", 0}, 503},
  };
  for (const auto& [why, status] : ends) {
    desk.pen.end = fail(why);
    const auto answer = write(body);
    EXPECT_EQ(answer.status, status) << why.text;
    EXPECT_EQ(answer.content_type, "application/problem+json");
    EXPECT_NE(answer.text().find(why.text), std::string_view::npos);
  }
  EXPECT_EQ(write(R"({"value":2})").status, 400);
  EXPECT_EQ(write(R"({"point":"voltage_l1","value":[2]})").status, 400);
  EXPECT_EQ(write(R"({"point":"power","value":2})").status, 404);
}

TEST(StatusApi, IsBothWhatTheProgramSaysAndThePicture) {
  Desk desk;
  desk.shown.ready = true;
  const auto answer = desk.ask("GET", "/api/status");
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.text().find(R"({"version":"9","device_id":"site","time":)"),
            std::string_view::npos);
  EXPECT_NE(answer.text().find(R"("headline":"Nothing to do yet")"), std::string_view::npos);
}

TEST(StatusApi, TellsAProbeWhenSomethingDoesNotGoOn) {
  Desk desk;
  EXPECT_EQ(desk.ask("GET", "/api/status").status, 503);  // not ready yet
  desk.shown.ready = true;
  desk.clock.advance(1s);
  EXPECT_EQ(desk.ask("GET", "/api/status").status, 200);
  const auto heart = desk.progress.enroll("modbus/panel");
  heart->beat(1s);
  desk.clock.advance(2s);
  const auto late = desk.ask("GET", "/api/status");
  EXPECT_EQ(late.status, 503);
  EXPECT_NE(late.text().find("No progress: modbus/panel"), std::string_view::npos);
}

TEST(ExplainApi, NamesTheSilentDeviceAndWhatToLookAt) {
  Desk desk;
  desk.device("panel", "meter-1");
  auto& device = desk.shown.devices.front();
  device.state = DeviceView::State::offline;
  device.trouble = Trouble::bad_crc;
  device.advice = {"Compare baud rate"};
  const auto answer = desk.ask("GET", "/api/diag/explain", "about=device%3Apanel%2Fmeter-1");
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.text().find("meter-1 is offline: what comes back is damaged."),
            std::string_view::npos);
  EXPECT_NE(answer.text().find("Compare baud rate"), std::string_view::npos);
  const auto point =
      desk.ask("GET", "/api/diag/explain", "about=point%3Apanel%2Fmeter-1%2Fvoltage_l1");
  EXPECT_NE(point.text().find("voltage_l1 is fresh"), std::string_view::npos);
  EXPECT_EQ(desk.ask("GET", "/api/diag/explain", "about=weather").status, 400);
  EXPECT_EQ(desk.ask("GET", "/api/diag/explain", "about=line%3Amodbus%2Fnone").status, 404);
}

}  // namespace
}  // namespace lightship::portal
