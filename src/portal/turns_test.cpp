// Who waits, who comes next, who is sent away.
#include "portal/turns.h"

#include <gtest/gtest.h>

#include <optional>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

namespace lightship::portal {
namespace {

struct Queue {
  struct Guest {
    bool told = false;
    Turns::Place place;
  };
  std::shared_ptr<Guest> comes() {
    auto guest = std::make_shared<Guest>();
    asio::co_spawn(loop, turns.take(), [guest](std::exception_ptr why, Turns::Place place) {
      guest->told = !why;
      guest->place = std::move(place);
    });
    settle();
    return guest;
  }
  void settle() {
    loop.restart();
    loop.poll();
  }
  asio::io_context loop{1};
  Turns turns{1, 2};
};

TEST(Turns, OneGoesAndTheOthersFollowInOrder) {
  Queue queue;
  const auto first = queue.comes(), second = queue.comes(), third = queue.comes();
  EXPECT_TRUE(first->place);
  EXPECT_FALSE(second->told);
  first->place.reset();
  queue.settle();
  EXPECT_TRUE(second->place);
  EXPECT_FALSE(third->told);
  second->place.reset();
  queue.settle();
  EXPECT_TRUE(third->place);
  third->place.reset();
  EXPECT_TRUE(queue.comes()->place);
}

TEST(Turns, WhoWouldWaitBehindTooManyIsSentAway) {
  Queue queue;
  const auto first = queue.comes(), second = queue.comes(), third = queue.comes(),
             fourth = queue.comes();
  EXPECT_TRUE(fourth->told);
  EXPECT_FALSE(fourth->place);
  EXPECT_FALSE(third->told);
}

TEST(Turns, WhoGivesUpLeavesHisPlaceToTheNext) {
  Queue queue;
  const auto first = queue.comes();
  asio::cancellation_signal stop;
  bool cancelled = false;
  asio::co_spawn(
      queue.loop, queue.turns.take(),
      asio::bind_cancellation_slot(
          stop.slot(), [&](std::exception_ptr why, Turns::Place) { cancelled = why != nullptr; }));
  queue.settle();
  const auto third = queue.comes();
  stop.emit(asio::cancellation_type::terminal);
  queue.settle();
  EXPECT_TRUE(cancelled);
  first->place.reset();
  queue.settle();
  EXPECT_TRUE(third->place);
}

}  // namespace
}  // namespace lightship::portal
