// What the portal shows as raised, acknowledged and over; and what of it outlives a restart.
#include "store/alert_book.h"

#include <gtest/gtest.h>

#include "base/manual_clock.h"

namespace lightship {
namespace {

using namespace std::chrono_literals;

struct House : Viewed {
  asio::io_context loop{1};
  ManualClock clock{loop};
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> quiet{std::fopen("/dev/null", "w"), &std::fclose};
  Logbook logbook{clock, quiet.get(), Logbook::Form::text, Level::error};
  Catalog catalog;
  Cache cache{catalog};
  Bus bus{loop.get_executor(), cache};
  Metrics metrics;
  Progress progress{clock};
  Owners owners;
  Alerts alerts{clock};
  ClockWatch clock_watch{clock, Time{}};
  Worker files;
  std::map<std::string, std::shared_ptr<void>> heirlooms;
  Context context{
      loop.get_executor(), clock, logbook,   catalog, cache, bus, metrics, progress, owners, alerts,
      clock_watch,         files, heirlooms, "site",  {},    {},  nullptr, this};
  View shown;
  void look(View& view) const override { view = shown; }
  void look_at_plans(View&) const override {}
  std::optional<PointsView> look_at_points(DeviceId) const override { return std::nullopt; }
  bool poll_now(DeviceId) override { return false; }

  // Keeps how many lines it was told.
  struct CountingAudit final : Audit {
    Task<Result<void>> read_back(Time, std::function<void(std::string_view)>) override {
      co_return Result<void>{};
    }
    Task<Result<void>> keep(std::string, Durability) override {
      if (pause > 0s) co_await time.sleep_for(pause);
      if (fails) co_return fail(Errc::unavailable, "the disk is full");
      ++lines;
      co_return Result<void>{};
    }
    explicit CountingAudit(Clock& with) : Audit(with), time(with) {}
    Clock& time;
    int lines = 0;
    Duration pause{};
    bool fails = false;
  };
  CountingAudit audit{clock};

  void device_is(DeviceView::State state) {
    shown.devices.resize(1);
    shown.devices[0].name = "panel/meter-1";
    shown.devices[0].label = "Meter 1";
    shown.devices[0].condition = "no bytes at all";
    shown.devices[0].state = state;
  }
  Result<void> acknowledge(AlertBook& book, std::uint64_t id) {
    Result<void> done = fail(Errc::timeout, "not yet");
    asio::co_spawn(loop, book.acknowledge(id, "anna", "seen"),
                   [&](std::exception_ptr, Result<void> end) { done = std::move(end); });
    clock.settle();
    return done;
  }
};

TEST(AlertBook, ADeviceThatComesAndGoesIsNoAlertYet) {
  House house;
  AlertBook book(house.context);
  house.device_is(DeviceView::State::offline);
  book.look();
  house.clock.advance(5s);
  house.device_is(DeviceView::State::ok);
  book.look();
  house.device_is(DeviceView::State::offline);
  house.clock.advance(6s);
  book.look();
  EXPECT_TRUE(book.active().empty());
  house.clock.advance(10s);
  book.look();
  ASSERT_EQ(book.active().size(), 1u);
  EXPECT_EQ(book.active()[0].text, "Meter 1 does not answer: no bytes at all");
  house.device_is(DeviceView::State::ok);
  book.look();
  EXPECT_TRUE(book.active().empty());
  ASSERT_EQ(book.cleared().size(), 1u);
  EXPECT_TRUE(book.cleared()[0].is_cleared());
}

TEST(AlertBook, WhatPartsRaiseIsBookedAndAcknowledgedOnTheBoardToo) {
  House house;
  AlertBook book(house.context);
  house.alerts.raise({.rule = "disk-full", .text = "The disk is full."});
  book.look();
  const auto id = book.active().at(0).id;
  EXPECT_TRUE(house.acknowledge(book, id));
  EXPECT_EQ(book.active()[0].acknowledged_by, "anna");
  EXPECT_EQ(book.active()[0].note, "seen");
  EXPECT_EQ(house.alerts.active()[0].state, Alert::State::acknowledged);
  EXPECT_FALSE(house.acknowledge(book, id + 1));
  house.alerts.clear("disk-full");
  book.look();
  EXPECT_FALSE(house.acknowledge(book, id));
  EXPECT_EQ(book.cleared().front().acknowledged_by, "anna");
}

TEST(AlertBook, IsAcknowledgedOnceAndTellsTheAuditOnce) {
  House house;
  house.context.audit = &house.audit;
  AlertBook book(house.context);
  house.alerts.raise({.rule = "disk-full", .text = "The disk is full."});
  book.look();
  const auto id = book.active().at(0).id;
  EXPECT_TRUE(house.acknowledge(book, id));
  EXPECT_EQ(house.audit.lines, 1);
  for (int i = 0; i < 100; ++i) {
    const auto again = house.acknowledge(book, id);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::refused);
    EXPECT_EQ(again.error().text, "alert 1 is acknowledged already, by anna");
    EXPECT_EQ(house.acknowledge(book, id + 1).error().code, Errc::invalid);
  }
  EXPECT_EQ(house.audit.lines, 1) << "who asks all day does not fill the audit";
}

TEST(AlertBook, IsAcknowledgedByOneOfManyWhoDoAtOnce) {
  House house;
  house.context.audit = &house.audit;
  house.audit.pause = 1s;  // a slow disk
  AlertBook book(house.context);
  house.alerts.raise({.rule = "disk-full", .text = "The disk is full."});
  book.look();
  const auto id = book.active().at(0).id;
  int good = 0, refused = 0;
  const auto acknowledge = [&] {
    asio::co_spawn(house.loop, book.acknowledge(id, "anna", "seen"),
                   [&](std::exception_ptr, Result<void> done) {
                     good += done ? 1 : 0;
                     refused += !done && done.error().code == Errc::refused ? 1 : 0;
                   });
  };
  for (int i = 0; i < 60; ++i) acknowledge();
  house.clock.settle();
  EXPECT_EQ(refused, 59);
  house.clock.advance(2s);
  EXPECT_EQ(good, 1);
  EXPECT_EQ(house.audit.lines, 1);
}

TEST(AlertBook, MayBeAcknowledgedAgainWhereTheAuditCouldNotBeWritten) {
  House house;
  house.context.audit = &house.audit;
  AlertBook book(house.context);
  house.alerts.raise({.rule = "disk-full", .text = "The disk is full."});
  book.look();
  const auto id = book.active().at(0).id;
  house.audit.fails = true;
  EXPECT_EQ(house.acknowledge(book, id).error().code, Errc::unavailable);
  house.audit.fails = false;
  EXPECT_TRUE(house.acknowledge(book, id));
}

TEST(AlertBook, OutlivesARestartWithItsNumbers) {
  House house;
  AlertBook book(house.context);
  house.alerts.raise({.rule = "disk-full", .text = "The disk is full."});
  house.alerts.raise({.rule = "outbox-full", .text = "The outbox is full."});
  book.look();
  EXPECT_TRUE(house.acknowledge(book, book.active().back().id));
  house.alerts.clear("outbox-full");
  book.look();

  House next;
  AlertBook again(next.context);
  ASSERT_TRUE(again.adopt(book.text()));
  EXPECT_EQ(again.text(), book.text());
  ASSERT_EQ(again.active().size(), 1u);
  EXPECT_TRUE(again.active()[0].is_acknowledged());
  EXPECT_EQ(again.cleared().size(), 1u);
  EXPECT_FALSE(again.adopt("[]"));
  EXPECT_FALSE(again.adopt("{"));
}

TEST(AlertBook, KeepsABoundedNumberOfThoseThatAreOver) {
  House house;
  AlertBook book(house.context);
  for (std::size_t i = 0; i < AlertBook::kMostCleared + 20; ++i) {
    house.alerts.raise({.rule = "disk-full"});
    book.look();
    house.alerts.clear("disk-full");
    book.look();
  }
  EXPECT_EQ(book.cleared().size(), AlertBook::kMostCleared);
  EXPECT_GT(book.cleared().front().id, book.cleared().back().id);
}

}  // namespace
}  // namespace lightship
