// The outbox at its limits: full, thinned, damaged, lost, cut off, a day behind.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/outbox_file.h"
#include "store/testing/desk.h"
#include "store/testing/live_bytes.h"

namespace lightship {
namespace {

using testing::Desk;
using Heard = std::vector<std::string>;

bool raised(const Desk& desk, std::string_view rule) {
  return std::ranges::any_of(desk.alerts.active(),
                             [&](const Alert& alert) { return alert.rule == rule; });
}

void push_many(Desk& desk, OutboxQueue& queue, int from, int to, std::size_t size) {
  for (int i = from; i <= to; ++i) {
    ASSERT_TRUE(queue.push(Desk::message("a", i, Lane::measurement, size)));
    if (i % 100 == 0) desk.settle();
  }
  desk.settle();
}

TEST(OutboxLimit, DropsTheOldestMeasurementsCountsThemAndSaysSo) {
  Desk desk;
  desk.settings.max_size.bytes = 1'000'000;
  auto queue = desk.open().queue("mqtt");
  queue->push(Desk::message("", 0, Lane::alarm));
  push_many(desk, *queue, 1, 2000, 1000);
  EXPECT_LE(queue->bytes(), 1'000'000u);
  EXPECT_GT(queue->dropped(), 900u);
  EXPECT_TRUE(raised(desk, "outbox-full"));
  const auto heard = desk.drain(*queue);
  ASSERT_GT(heard.size(), 500u);
  EXPECT_EQ(heard.front(), "#0") << "an alarm is not dropped for measurements";
  EXPECT_EQ(heard.back(), "a#2000");
  EXPECT_EQ(heard.size() - 1 + queue->dropped(), 2000u);
  EXPECT_EQ(heard[1], fmt::format("a#{}", queue->dropped() + 1)) << "what is kept is the newest";
  push_many(desk, *queue, 2001, 2001, 100);
  EXPECT_FALSE(raised(desk, "outbox-full"));
}

TEST(OutboxLimit, ThinsTheOlderHalfBeforeAnythingIsGoneAltogether) {
  Desk desk;
  desk.settings.max_size.bytes = 4'000'000;
  desk.settings.overflow = OutboxFile::Settings::Overflow::thin;
  auto queue = desk.open().queue("mqtt");
  push_many(desk, *queue, 1, 4500, 1000);
  EXPECT_LE(queue->bytes(), 4'000'000u);
  EXPECT_GT(queue->thinned(), 500u);
  EXPECT_EQ(queue->dropped(), 0u);
  const auto heard = desk.drain(*queue);
  EXPECT_EQ(heard.size() + queue->thinned(), 4500u);
  EXPECT_EQ(heard.front(), "a#1");
  EXPECT_EQ(heard.back(), "a#4500");
}

TEST(OutboxLimit, SetsAsideWithAReasonWhatAReceiverRefuses) {
  Desk desk;
  auto queue = desk.open().queue("mqtt");
  for (int i = 1; i <= 2; ++i) queue->push(Desk::message("a", i));
  desk.settle();
  queue->set_aside(queue->next()->id, "413 too large");
  desk.settle();
  EXPECT_EQ(desk.drain(*queue), (Heard{"a#2"}));
  queue.reset();
  desk.leave();
  queue = desk.open().queue("mqtt");
  EXPECT_EQ(queue->set_aside_count(), 1u);
  EXPECT_EQ(queue->waiting(), 0u);
}

OutboxHandiwork done(Desk& desk, Task<Result<OutboxHandiwork>> task) {
  OutboxHandiwork work;
  const auto wait = [](Task<Result<OutboxHandiwork>> waited, OutboxHandiwork& into) -> Task<void> {
    auto got = co_await std::move(waited);
    EXPECT_TRUE(got.has_value()) << got.error().text;
    if (got) into = *got;
  };
  desk.wait(wait(std::move(task), work));
  return work;
}

TEST(OutboxHand, OffersAgainWhatWasSetAside) {
  Desk desk;
  auto& file = desk.open();
  auto queue = file.queue("mqtt");
  for (int i = 1; i <= 3; ++i) queue->push(Desk::message("a", i));
  desk.settle();
  for (int i = 1; i <= 2; ++i) queue->set_aside(queue->next()->id, "400");
  desk.settle();
  EXPECT_EQ(done(desk, file.retry("mqtt", 1)).aside, 1u);
  EXPECT_EQ(queue->set_aside_count(), 1u);
  EXPECT_EQ(queue->waiting(), 2u);
  EXPECT_EQ(done(desk, file.retry("", 0)).aside, 1u);
  queue->push(Desk::message("a", 4));
  desk.settle();
  EXPECT_EQ(desk.drain(*queue), (Heard{"a#3", "a#1", "a#2", "a#4"}));
  EXPECT_EQ(done(desk, file.retry("", 0)).aside, 0u);
  EXPECT_EQ(queue->bytes(), 0u);
}

TEST(OutboxHand, DiscardsAQueueThatNobodyDeliversAndKeepsItsNumbers) {
  Desk desk;
  {
    auto queue = desk.open().queue("mqtt");
    for (int i = 1; i <= 3; ++i) queue->push(Desk::message("a", i));
    desk.settle();
    queue->set_aside(queue->next()->id, "400");
    desk.settle();
  }
  desk.leave();
  auto& file = desk.open();
  EXPECT_GT(file.bytes(), 0u);
  const auto gone = done(desk, file.discard("mqtt"));
  EXPECT_EQ(gone.messages, 2u);
  EXPECT_EQ(gone.aside, 1u);
  EXPECT_EQ(file.bytes(), 0u);
  auto queue = file.queue("mqtt");
  queue->on_ready([] {});
  queue->push(Desk::message("a", 4));
  desk.settle();
  EXPECT_EQ(desk.drain(*queue), (Heard{"a#4"}));
}

TEST(OutboxHand, DiscardsNothingThatASinkDelivers) {
  Desk desk;
  auto& file = desk.open();
  auto queue = file.queue("mqtt");
  queue->on_ready([] {});
  queue->push(Desk::message("a", 1));
  desk.settle();
  const auto refused = [](OutboxFile& of) -> Task<void> {
    auto asked = of.discard("mqtt");
    const auto answer = co_await std::move(asked);
    EXPECT_FALSE(answer.has_value());
  };
  desk.wait(refused(file));
  EXPECT_EQ(queue->waiting(), 1u);
}

// Messages come all the time: the outbox is never idle.
TEST(OutboxHand, WorksTwiceAtOnceBetweenTheCommitsOfABusyGateway) {
  Desk desk;
  auto& file = desk.open();
  auto old = file.queue("http/old");
  auto busy = file.queue("mqtt");
  busy->on_ready([] {});
  for (int i = 1; i <= 3; ++i) old->push(Desk::message("b", i));
  auto other = file.queue("http/other");
  other->push(Desk::message("c", 1));
  desk.settle();
  int answers = 0, pushed = 0;
  const auto feed = [](OutboxQueue& queue, const int& until, int& count) -> Task<void> {
    asio::steady_timer pause(co_await asio::this_coro::executor);
    while (until < 2 && count < 100'000) {
      // More than one commit takes, so the next follows at once.
      for (int i = 0; i < 1500; ++i) count += queue.push(Desk::message("a", count + 1)) ? 1 : 0;
      pause.expires_after(std::chrono::microseconds(200));
      co_await pause.async_wait(asio::use_awaitable);
    }
  };
  const auto discard = [](OutboxFile& of, int& count) -> Task<void> {
    auto asked = of.discard("http/old");
    const auto answer = co_await std::move(asked);
    EXPECT_TRUE(answer.has_value()) << answer.error().text;
    ++count;
  };
  const auto retry = [](OutboxFile& of, int& count) -> Task<void> {
    auto asked = of.retry("", 0);
    const auto answer = co_await std::move(asked);
    EXPECT_TRUE(answer.has_value()) << answer.error().text;
    if (answer) EXPECT_EQ(answer->aside, 1u);
    ++count;
  };
  other->set_aside(other->next()->id, "refused");  // not on disk yet when it is asked for
  asio::co_spawn(desk.loop, retry(file, answers), asio::detached);
  asio::co_spawn(desk.loop, discard(file, answers), asio::detached);
  const auto began = steady_now();
  desk.wait(feed(*busy, answers, pushed));
  EXPECT_EQ(answers, 2);
  EXPECT_LT(steady_now() - began, std::chrono::seconds(4));
  desk.settle();
  EXPECT_EQ(old->waiting(), 0u);
  EXPECT_EQ(busy->waiting(), static_cast<std::size_t>(pushed));
  EXPECT_EQ(desk.drain(*busy).size(), static_cast<std::size_t>(pushed));
}

TEST(OutboxDamage, GivesNoNumberTwiceWhereTheFileWasEmptied) {
  Desk desk;
  auto queue = desk.open().queue("mqtt");
  for (int i = 1; i <= 3; ++i) queue->push(Desk::message("panel/a", i));
  desk.settle();
  queue.reset();
  desk.leave();
  std::filesystem::resize_file(desk.path(), 0);
  std::filesystem::remove(desk.path().string() + "-wal");

  queue = desk.open().queue("mqtt");
  EXPECT_TRUE(raised(desk, "outbox-damaged"));
  queue->push(Desk::message("panel/a", 4));
  desk.settle();
  const auto* next = queue->next();
  ASSERT_NE(next, nullptr);
  EXPECT_GT(next->sequence, 3u);
}

// Where a header says what no program has written: the bytes at 44 are the format of the schema,
// those at 60 our version (https://www.sqlite.org/fileformat.html, 1.3).
TEST(OutboxDamage, WorksAgainAfterAHeaderThatMakesNoSense) {
  for (const int at : {44, 60}) {
    Desk desk;
    auto queue = desk.open().queue("mqtt");
    for (int i = 1; i <= 3; ++i) queue->push(Desk::message("panel/a", i));
    desk.settle();
    queue.reset();
    desk.leave();
    {
      std::fstream file(desk.path(), std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(at);
      file << "\x7f\x7f\x7f\x7f";
    }
    std::filesystem::remove(desk.path().string() + "-wal");
    queue = desk.open().queue("mqtt");
    EXPECT_TRUE(raised(desk, "outbox-damaged")) << at;
    queue->push(Desk::message("panel/a", 4));
    desk.settle();
    const auto* next = queue->next();
    ASSERT_NE(next, nullptr) << at;
    while (const auto* more = queue->next()) next = more;
    EXPECT_GT(next->sequence, 3u) << at;
  }
}

TEST(OutboxLimit, HasRoomForAnAlarmWhereMeasurementsWaitForTheDisk) {
  Desk desk;
  auto queue = desk.open().queue("mqtt");
  int pushed = 0;  // without a turn of the loop nothing reaches the disk
  while (pushed < 100 && queue->push(Desk::message("a", pushed, Lane::measurement, 100'000)))
    ++pushed;
  EXPECT_LT(pushed, 100);
  EXPECT_TRUE(queue->push(Desk::message("", 0, Lane::alarm, 100'000)));
  EXPECT_FALSE(queue->push(Desk::message("a", 0, Lane::measurement, 100)) &&
               queue->push(Desk::message("a", 0, Lane::measurement, 100'000)));
}

TEST(OutboxDamage, TakesOverWhatCanBeReadAndNeverReusesANumber) {
  Desk desk;
  auto queue = desk.open().queue("mqtt");
  push_many(desk, *queue, 1, 1000, 1000);
  queue.reset();
  desk.leave();
  {
    std::fstream file(desk.path(), std::ios::in | std::ios::out | std::ios::binary);
    // Twenty pages in the middle of the messages.
    const std::string content(std::istreambuf_iterator<char>(file), {});
    const auto at = content.find("{\"n\":500,");
    ASSERT_NE(at, std::string::npos);
    file.clear();
    file.seekp(static_cast<std::streamoff>(at / 4096 * 4096));
    file << std::string(20 * 4096, '\xA5');
  }
  queue = desk.open().queue("mqtt");
  EXPECT_TRUE(raised(desk, "outbox-damaged"));
  EXPECT_GT(queue->waiting(), 500u);
  EXPECT_LT(queue->waiting(), 1000u);
  queue->push(Desk::message("a", 1001));
  desk.settle();
  const auto heard = desk.drain(*queue);
  EXPECT_EQ(heard.size(), std::set(heard.begin(), heard.end()).size());
  EXPECT_GT(std::stoi(heard.back().substr(2)), 1000);
  std::size_t aside = 0;
  for (const auto& entry : std::filesystem::directory_iterator(desk.folder))
    aside += entry.path().filename().string().starts_with("outbox.db.damaged-");
  EXPECT_GE(aside, 1u);
}

TEST(OutboxDamage, GoesOnBehindTheSecondCopyWhenTheFileIsNoDatabaseOrGone) {
  for (const bool gone : {true, false}) {
    Desk desk;
    auto queue = desk.open().queue("mqtt");
    for (int i = 1; i <= 3; ++i) queue->push(Desk::message("line/a", i));
    desk.settle();
    queue.reset();
    desk.leave();
    if (gone)
      for (const char* tail : {"", "-wal", "-shm"})
        std::filesystem::remove(desk.path().string() + tail);
    else
      std::ofstream(desk.path()) << std::string(8192, 'x');
    queue = desk.open().queue("mqtt");
    EXPECT_TRUE(raised(desk, "outbox-damaged"));
    queue->push(Desk::message("line/a", 4));
    desk.settle();
    const auto heard = desk.drain(*queue);
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_GT(std::stoi(heard[0].substr(7)), 3);
  }
}

// As after kill -9: the files as they are while the program still has them open.
TEST(OutboxCut, LosesNothingThatWasCommittedWhenItEndsAtAnyMoment) {
  Desk desk;
  auto queue = desk.open().queue("mqtt");
  for (int round = 1; round <= 20; ++round) {
    queue->push(Desk::message("a", round));
    desk.settle();
    if (round % 3 == 0) queue->acknowledge(queue->next()->id);
    const auto copy = Desk::fresh_folder();
    for (const auto& entry : std::filesystem::directory_iterator(desk.folder)) {
      if (entry.path().extension() != ".db-shm")
        std::filesystem::copy_file(entry.path(), copy / entry.path().filename());
    }
    Desk after(copy);
    auto again = after.open().queue("mqtt");
    again->push(Desk::message("a", round + 1));
    after.settle();
    const auto heard = after.drain(*again);
    ASSERT_FALSE(heard.empty());
    EXPECT_EQ(heard.back(), fmt::format("a#{}", round + 1));
    EXPECT_LE(static_cast<int>(heard.size()), round + 1);
    EXPECT_GE(static_cast<int>(heard.size()), round + 1 - round / 3);
  }
}

TEST(OutboxDay, KeepsADayOf32DevicesInOrderInFlatMemory) {
  Desk desk;
  auto queue = desk.open().queue("mqtt");
  std::size_t before = 0;
  for (int second = 0; second < 86400; second += 10) {
    for (int device = 0; device < 32; ++device)
      ASSERT_TRUE(queue->push(
          Desk::message(fmt::format("line/{}", device), second, Lane::measurement, 300)));
    if (second % 300 == 290) desk.settle();
    if (second == 8630) before = live_bytes();
  }
  desk.settle();
  EXPECT_EQ(queue->waiting(), 276'480u);
  EXPECT_EQ(queue->dropped(), 0u);
  EXPECT_LT(live_bytes(), before + (8 << 20));
  std::map<std::string, int> last;
  const auto heard = desk.drain(*queue);
  ASSERT_EQ(heard.size(), 276'480u);
  for (const auto& message : heard) {
    const auto hash = message.find('#');
    ASSERT_EQ(std::stoi(message.substr(hash + 1)), ++last[message.substr(0, hash)]);
  }
  EXPECT_EQ(last.size(), 32u);
}

}  // namespace
}  // namespace lightship
