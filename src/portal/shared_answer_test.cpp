// How often is asked, and who is told what.
#include "portal/shared_answer.h"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <vector>

#include "base/manual_clock.h"

namespace lightship::portal {
namespace {

using namespace std::chrono_literals;

struct Desk {
  asio::io_context loop{1};
  ManualClock clock{loop};
  SharedAnswer<int> shared{clock, 250ms};
  int asked = 0;
  std::optional<int> next = 7;  // what asking gives after 100 ms
  std::vector<int> told;        // -1: nothing

  static Task<std::optional<int>> ask(Desk& desk) {
    ++desk.asked;
    const auto found = desk.next;
    co_await desk.clock.sleep_for(100ms);
    co_return found;
  }
  template <class Token>
  void come(Token slot) {
    asio::co_spawn(loop, shared.get([this] { return ask(*this); }),
                   asio::bind_cancellation_slot(
                       slot, [this](std::exception_ptr why, std::shared_ptr<const int> answer) {
                         if (!why) told.push_back(answer ? *answer : -1);
                       }));
    clock.settle();
  }
  void come() { come(asio::cancellation_slot()); }
};

TEST(SharedAnswer, IsAskedOnceForAllWhoComeWhileItIsUnderWay) {
  Desk desk;
  for (int i = 0; i < 3; ++i) desk.come();
  desk.clock.advance(100ms);
  EXPECT_EQ(desk.told, (std::vector{7, 7, 7}));
  EXPECT_EQ(desk.asked, 1);
}

TEST(SharedAnswer, IsKeptForItsAgeAndNoLonger) {
  Desk desk;
  desk.come();
  desk.clock.advance(250ms);
  desk.come();
  EXPECT_EQ(desk.asked, 1);
  desk.next = 8;
  desk.clock.advance(1ms);
  desk.come();
  desk.clock.advance(100ms);
  EXPECT_EQ(desk.told, (std::vector{7, 7, 8}));
}

TEST(SharedAnswer, NothingIsToldToAllWhoWaitButNotKept) {
  Desk desk;
  desk.next = std::nullopt;
  desk.come();
  desk.come();
  desk.clock.advance(100ms);
  EXPECT_EQ(desk.told, (std::vector{-1, -1}));
  desk.come();
  EXPECT_EQ(desk.asked, 2);
  desk.clock.advance(100ms);
}

TEST(SharedAnswer, WhatIsForgottenOnItsWayIsNotToldToWhoComesLater) {
  Desk desk;
  desk.come();
  desk.shared.forget();
  desk.next = 8;
  desk.come();
  desk.clock.advance(100ms);
  EXPECT_EQ(desk.told, (std::vector{7, 8}));
  desk.come();
  EXPECT_EQ(desk.told, (std::vector{7, 8, 8}));
}

TEST(SharedAnswer, WhoWaitsAsksHimselfWhenTheFirstIsStopped) {
  Desk desk;
  asio::cancellation_signal stop;
  desk.come(stop.slot());
  desk.come();
  stop.emit(asio::cancellation_type::terminal);
  desk.clock.settle();
  desk.clock.advance(100ms);
  EXPECT_EQ(desk.told, (std::vector{7}));
  EXPECT_EQ(desk.asked, 2);
}

}  // namespace
}  // namespace lightship::portal
