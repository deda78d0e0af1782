// The measurement message, to the letter.
#include "core/measurement.h"

#include <gtest/gtest.h>

#include "base/manual_clock.h"

namespace lightship {
namespace {

using namespace std::chrono_literals;

struct Meter {
  asio::io_context loop;
  ManualClock clock{loop};
  Catalog catalog;
  Cache cache{catalog};
  DeviceId device = catalog.device([] {
    DeviceInfo info;
    info.connection = "main-panel";
    info.client = "meter-1";
    info.type = "electrical";
    info.poll_interval = 5s;
    return info;
  }());
  PointId voltage = catalog.point(device, "voltage_l1", "V"),
          energy = catalog.point(device, "energy_import", "Wh");

  void hear(Reading first, Reading second, bool online = true) {
    Readings readings;
    readings.device = device;
    readings.at = clock.now();
    readings.arrived = clock.mono();
    readings.poll = 41ms;
    readings.online = online;
    readings.readings = {std::move(first), std::move(second)};
    cache.apply(readings);
  }
  std::string say(Shape shape = Shape::grouped) {
    std::string all;
    for (const auto& message : compose(shape, "site", catalog, cache, device, clock))
      all += message.open_json + "}\n";
    all.pop_back();
    return all;
  }
};

TEST(Measurement, SaysValuesUnitsAgeAndQuality) {
  Meter meter;
  meter.hear({meter.voltage, Real{230.1f, Real::kShortestFloat}},
             {meter.energy, std::uint64_t{18446744073709551615u}});
  meter.clock.advance(120ms);
  EXPECT_EQ(
      meter.say(),
      R"({"device_id":"site","connection_id":"main-panel","client_id":"meter-1","type":"electrical",)"
      R"("timestamp":"2026-01-04T12:00:00.000Z","quality":"good","age_ms":120,"poll_ms":41,)"
      R"("measurements":{"voltage_l1":230.1,"energy_import":18446744073709551615,"online":true},)"
      R"("units":{"voltage_l1":"V","energy_import":"Wh"}})");
}

TEST(Measurement, GivesTheReasonOfWhatIsMissing) {
  Meter meter;
  meter.hear({meter.voltage, {}, Reason::exception, 2}, {meter.energy, std::int64_t{5}});
  const auto text = meter.say();
  EXPECT_NE(text.find(R"("quality":"partial")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("measurements":{"voltage_l1":null,"energy_import":5,"online":true})"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(R"("errors":{"voltage_l1":"exception_2"})"), std::string::npos) << text;
}

TEST(Measurement, TellsASilentDeviceAsAllNull) {
  Meter meter;
  meter.hear({meter.voltage, {}, Reason::timeout}, {meter.energy, {}, Reason::timeout}, false);
  const auto text = meter.say();
  EXPECT_NE(text.find(R"("quality":"bad")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("online":false)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("errors":{"voltage_l1":"timeout","energy_import":"timeout"})"),
            std::string::npos)
      << text;
}

TEST(Measurement, CallsOldNewsStale) {
  Meter meter;
  meter.hear({meter.voltage, Real{1, 0}}, {meter.energy, std::int64_t{5}});
  meter.clock.advance(stale_after(meter.catalog.info(meter.device)) + 1s);
  const auto text = meter.say();
  EXPECT_NE(text.find(R"("errors":{"voltage_l1":"stale","energy_import":"stale"})"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(R"("online":false)"), std::string::npos) << text;
}

TEST(Measurement, IsStaleBeforeTheFirstPoll) {
  Meter meter;
  EXPECT_NE(meter.say().find(R"("voltage_l1":"stale")"), std::string::npos);
}

TEST(Measurement, NeverCarriesWhatJsonCannot) {
  Meter meter;
  meter.hear({meter.voltage, Real{std::numeric_limits<double>::infinity()}},
             {meter.energy, Real{NAN}});
  EXPECT_NE(meter.say().find(R"("voltage_l1":null,"energy_import":null)"), std::string::npos);
}

TEST(Measurement, IsFlatBesideTheEnvelope) {
  Meter meter;
  meter.hear({meter.voltage, Real{230.1f, Real::kShortestFloat}}, {meter.energy, {}, Reason::crc});
  EXPECT_EQ(
      meter.say(Shape::flat),
      R"({"device_id":"site","connection_id":"main-panel","client_id":"meter-1","type":"electrical",)"
      R"("format":"flat/1","timestamp":"2026-01-04T12:00:00.000Z","quality":"partial","age_ms":0,)"
      R"("poll_ms":41,"online":true,"voltage_l1":230.1,"energy_import":null,)"
      R"("units":{"voltage_l1":"V","energy_import":"Wh"},"errors":{"energy_import":"crc"}})");
}

TEST(Measurement, NeverHidesTheEnvelopeBehindAPointOfTheSameName) {
  Meter meter;
  meter.catalog.point(meter.device, "type", "A");
  meter.catalog.point(meter.device, "point_type");
  const auto text = meter.say(Shape::flat);
  EXPECT_NE(text.find(R"("type":"electrical")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("point_point_type":null,"point_type":null)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("point_point_type":"A")"), std::string::npos) << text;
}

TEST(Measurement, IsAMessageForEachPointAndOneForBeingThere) {
  Meter meter;
  meter.hear({meter.voltage, Real{230.1f, Real::kShortestFloat}}, {meter.energy, {}, Reason::crc});
  meter.clock.advance(120ms);
  const std::string whose =
      R"({"device_id":"site","connection_id":"main-panel","client_id":"meter-1","type":"electrical",)"
      R"("format":"per_point/1",)";
  EXPECT_EQ(
      meter.say(Shape::per_point),
      whose +
          R"("point":"voltage_l1","timestamp":"2026-01-04T12:00:00.000Z","value":230.1,"unit":"V","quality":"good","age_ms":120})"
          "\n" +
          whose +
          R"("point":"energy_import","timestamp":"2026-01-04T12:00:00.000Z","value":null,"unit":"Wh","quality":"bad","error":"crc","age_ms":120})"
          "\n" +
          whose +
          R"("point":"online","timestamp":"2026-01-04T12:00:00.000Z","value":true,"unit":"","quality":"good","age_ms":120})");
}

}  // namespace
}  // namespace lightship
