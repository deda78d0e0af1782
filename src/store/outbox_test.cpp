// The outbox: in order, at least once, bounded.
#include "store/outbox.h"

#include <gtest/gtest.h>

namespace lightship {
namespace {

Outbox::Message message(std::string text) {
  Outbox::Message out;
  out.open_json = std::move(text);
  return out;
}

std::string drain(Outbox& outbox) {
  std::string text;
  while (auto* next = outbox.next_unsent()) text += next->open_json + " ";
  return text;
}

TEST(Outbox, GivesTheOldestFirst) {
  Outbox outbox(1 << 20);
  for (const char* text : {"a", "b", "c"}) outbox.push(message(text));
  EXPECT_EQ(drain(outbox), "a b c ");
  EXPECT_EQ(outbox.under_way(), 3u);
}

TEST(Outbox, KeepsWhatIsNotAcknowledged) {
  Outbox outbox(1 << 20);
  for (const char* text : {"a", "b", "c"}) outbox.push(message(text));
  const auto first = outbox.next_unsent()->id;
  outbox.next_unsent();
  outbox.acknowledge(first);
  outbox.resend_all();
  EXPECT_EQ(outbox.waiting(), 2u);
  EXPECT_EQ(drain(outbox), "b c ");
}

TEST(Outbox, DoesNotResendWhatWasAcknowledgedOutOfOrder) {
  Outbox outbox(1 << 20);
  for (const char* text : {"a", "b", "c"}) outbox.push(message(text));
  outbox.next_unsent();
  const auto second = outbox.next_unsent()->id;
  outbox.acknowledge(second);
  EXPECT_EQ(outbox.waiting(), 3u);  // b waits for a, so that the front stays the oldest
  outbox.resend_all();
  EXPECT_EQ(drain(outbox), "a c ");
}

TEST(Outbox, PassesOverAnswersToAnOlderSession) {
  Outbox outbox(1 << 20);
  outbox.push(message("a"));
  const auto old = outbox.next_unsent()->id;
  outbox.resend_all();
  outbox.acknowledge(old);
  EXPECT_EQ(outbox.waiting(), 1u);
}

TEST(Outbox, DropsTheOldestPastItsLimitAndCountsIt) {
  Outbox outbox(3000);
  for (int i = 0; i < 100; ++i)
    outbox.push(message(std::string(200, static_cast<char>('a' + i % 26))));
  EXPECT_LE(outbox.bytes(), 3000u);
  EXPECT_EQ(outbox.dropped(), 100 - outbox.waiting());
  std::string last;
  while (auto* next = outbox.next_unsent()) last = next->open_json;
  EXPECT_EQ(last.front(), 'a' + 99 % 26);
}

TEST(Outbox, DropsAlsoWhatIsUnderWayWhenABrokerAcknowledgesNothing) {
  Outbox outbox(2000);
  std::vector<std::uint64_t> sent;
  for (int i = 0; i < 50; ++i) {
    outbox.push(message(std::string(100, 'x')));
    sent.push_back(outbox.next_unsent()->id);
  }
  EXPECT_LE(outbox.bytes(), 2000u);
  for (const auto id : sent) outbox.acknowledge(id);
  EXPECT_EQ(outbox.waiting(), 0u);
  EXPECT_EQ(outbox.under_way(), 0u);
  EXPECT_EQ(outbox.bytes(), 0u);
}

}  // namespace
}  // namespace lightship
