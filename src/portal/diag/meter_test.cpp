// The meter: rates between looks, a past with gaps, answers before anything is known.
#include "portal/diag/meter.h"

#include <gtest/gtest.h>

#include "portal/diag/tree_for_test.h"
#include "portal/testing/shop.h"

namespace lightship::portal {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

struct Metered : Shop {
  TreeForTest tree;
  Meter meter{clock, field, worker, {}, tree.tree()};

  void cpu(std::uint64_t busy, std::uint64_t idle) {
    tree.file("/proc/stat", fmt::format("cpu  {} 0 0 {} 0 0 0 0\ncpu0 0 0 0 0\n", busy, idle));
  }
};

TEST(Meter, AnswersBeforeAnythingIsKnown) {
  Metered shop;
  const auto now = shop.meter.now();
  EXPECT_EQ(now.at("system").at("cpu_percent").to_number<double>(), 0);
  EXPECT_TRUE(now.at("system").at("temperature_c").is_null());
  EXPECT_TRUE(now.at("last_poll_s").is_null());
  EXPECT_EQ(now.at("system").at("disk_path").as_string(), "/");
}

TEST(Meter, RatesAreTheDifferenceOfLooks) {
  Metered shop;
  shop.cpu(100, 900);
  shop.meter.look(FieldCounts{.polls = 100, .failed = 1, .points = 1000});
  shop.clock.advance(2s);
  shop.cpu(150, 1050);
  shop.meter.look(FieldCounts{.polls = 110, .failed = 2, .points = 1100, .waiting = 7});
  const auto now = shop.meter.now();
  EXPECT_DOUBLE_EQ(now.at("system").at("cpu_percent").to_number<double>(), 25);
  EXPECT_DOUBLE_EQ(now.at("rates").at("polls").to_number<double>(), 5);
  EXPECT_DOUBLE_EQ(now.at("rates").at("failed_polls").to_number<double>(), 0.5);
  EXPECT_DOUBLE_EQ(now.at("rates").at("points").to_number<double>(), 50);
  EXPECT_EQ(now.at("waiting").to_number<double>(), 7);
}

TEST(Meter, KeepsARowEveryFiveSecondsAndShowsWhatWasMissed) {
  Metered shop;
  for (int second = 0; second <= 20; ++second) {
    shop.meter.look(FieldCounts{.polls = 10U * static_cast<unsigned>(second)});
    shop.clock.advance(1s);
  }
  auto rows = shop.meter.with_past(60min).at("history").at("rows").as_array();
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[3].at(4).to_number<double>(), 10);
  shop.clock.advance(20s);  // nobody looked
  shop.meter.look(FieldCounts{.polls = 500});
  rows = shop.meter.with_past(60min).at("history").at("rows").as_array();
  ASSERT_EQ(rows.size(), 8U);
  EXPECT_TRUE(rows[5].at(0).is_null());
  EXPECT_FALSE(rows[7].at(0).is_null());
}

TEST(Meter, AFieldLoopThatHangsLeavesAHoleInThePast) {
  Metered shop;
  shop.meter.look(FieldCounts{.polls = 1});
  for (int second = 0; second < 6; ++second) {
    shop.clock.advance(1s);
    shop.meter.look(std::nullopt);
  }
  const auto answer = shop.meter.with_past(60min);
  const auto& rows = answer.at("history").at("rows").as_array();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_TRUE(rows[0].at(4).is_null());
  EXPECT_FALSE(rows[0].at(1).is_null());
}

TEST(Meter, CountsOfTheFieldAreThoseOfAllDevicesAndSinks) {
  Metered shop;
  shop.metrics.counter("modbus_polls_total", "", {{"device", "a"}}) += 3;
  shop.metrics.counter("modbus_polls_total", "", {{"device", "b"}}) += 4;
  shop.metrics.counter("http_acknowledged_total", "", {{"endpoint", "x"}}) += 5;
  shop.metrics.counter("mqtt_acknowledged_total", "") += 6;
  const auto then = std::chrono::duration<double>(shop.clock.now().time_since_epoch()).count() - 90;
  shop.metrics.gauge("outbox_messages", "", {{"sink", "a"}}, [] { return 10.0; });
  shop.metrics.gauge("outbox_messages", "", {{"sink", "b"}}, [] { return 1.0; });
  shop.metrics.gauge("outbox_oldest_seconds", "", {{"sink", "a"}}, [then] { return then; });
  shop.metrics.gauge("outbox_oldest_seconds", "", {{"sink", "b"}}, [] { return std::nan(""); });
  const auto counts = count_field(shop.context);
  EXPECT_EQ(counts.polls, 7U);
  EXPECT_EQ(counts.published, 11U);
  EXPECT_EQ(counts.waiting, 11);
  EXPECT_NEAR(*counts.oldest_waiting_s, 90, 0.01);
  EXPECT_EQ(counts.last_poll_s, std::nullopt);
}

}  // namespace
}  // namespace lightship::portal
