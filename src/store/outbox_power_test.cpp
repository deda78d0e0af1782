// The outbox over power cuts in the middle of commits, and on a disk that fails for a while.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "store/outbox_file.h"
#include "store/testing/desk.h"
#include "store/testing/power_cut_disk.h"

namespace lightship {
namespace {

using testing::Desk;
using testing::PowerCutDisk;

constexpr std::size_t kNever = SIZE_MAX;

// What the sender knows of a message; times are counts of the disk's operations.
struct Sent {
  std::string key;             // empty: an alarm
  std::uint64_t sequence = 0;  // 0: an alarm, or not offered
  std::string body;
  std::size_t offered = kNever;
  std::size_t acknowledged = kNever;
  std::size_t settled = kNever;  // the acknowledgement is on disk
};

struct Record {
  std::vector<Sent> sent;  // by the number in the body
  std::size_t first_offer = kNever;
  // The second copy of the numbers, as it was at the disk's operations.
  std::map<std::size_t, std::string> numbers;
};

int number_in(const std::string& body) { return std::stoi(body.substr(body.find(':') + 1)); }

// Two devices and alarms; half is acknowledged, some of it only long after it was offered. One
// restart in the middle.
Record record(const PowerCutDisk& disk, Desk& desk) {
  Record made;
  auto queue = desk.open().queue("mqtt");
  const auto push = [&](std::string key) {
    auto message = Desk::message(key, static_cast<int>(made.sent.size()),
                                 key.empty() ? Lane::alarm : Lane::measurement, 700);
    made.sent.push_back({.key = std::move(key), .body = message.open_json});
    ASSERT_TRUE(queue->push(std::move(message)));
  };
  std::vector<std::uint64_t> under_way;
  std::vector<int> unsettled;
  std::map<std::uint64_t, int> numbers;
  for (int round = 0; round < 120; ++round) {
    if (round == 60) {
      queue.reset();
      desk.leave();
      queue = desk.open().queue("mqtt");
      under_way.clear();
    }
    for (int i = 0; i <= round % 3; ++i) push("line/a");
    push("line/b");
    if (round % 10 == 0) push("");
    desk.settle();
    made.numbers[disk.count()] =
        read_file(desk.folder / "outbox-numbers.json", 1 << 20).value_or("");
    for (const int number : unsettled) made.sent[number].settled = disk.count();
    unsettled.clear();
    while (const auto* message = queue->next()) {
      auto& sent = made.sent[number_in(message->open_json)];
      EXPECT_EQ(message->key, sent.key);
      if (sent.offered == kNever) sent.offered = disk.count();
      sent.sequence = message->sequence;
      made.first_offer = std::min(made.first_offer, sent.offered);
      numbers[message->id] = number_in(message->open_json);
      under_way.push_back(message->id);
    }
    for (std::size_t i = under_way.size() / 2; i > 0; --i) {
      const auto id = under_way[i - 1];
      under_way.erase(under_way.begin() + static_cast<std::ptrdiff_t>(i - 1));
      made.sent[numbers.at(id)].acknowledged = disk.count();
      unsettled.push_back(numbers.at(id));
      queue->acknowledge(id);
      if (i % 2 == 0) i /= 2;
    }
  }
  return made;
}

// What is in the file after the cut, and the numbers that follow.
struct After {
  std::set<int> heard;
  std::map<std::string, std::uint64_t> next;
  std::vector<Alert> alerts;
};

After look_after(const std::filesystem::path& folder, const Record& before) {
  After after;
  Desk desk(folder);
  auto queue = desk.open().queue("mqtt");
  const auto fresh = static_cast<int>(before.sent.size());
  for (const char* key : {"line/a", "line/b"}) queue->push(Desk::message(key, fresh));
  desk.settle();
  std::map<std::string, std::uint64_t> last;
  while (const auto* message = queue->next()) {
    const int number = number_in(message->open_json);
    if (message->lane == Lane::measurement) {
      EXPECT_GT(message->sequence, last[message->key]) << "in order, each once";
      last[message->key] = message->sequence;
    }
    if (number == fresh) {
      after.next[message->key] = message->sequence;
    } else {
      EXPECT_TRUE(after.heard.insert(number).second) << "twice: " << number;
      EXPECT_EQ(message->open_json, before.sent[number].body);
      if (before.sent[number].sequence != 0)
        EXPECT_EQ(message->sequence, before.sent[number].sequence) << message->key;
    }
    queue->acknowledge(message->id);
  }
  EXPECT_EQ(queue->waiting(), 0u);
  after.alerts = desk.alerts.active();
  return after;
}

TEST(OutboxPower, ACutLosesNothingThatWasOfferedAndGivesNoNumberTwice) {
  PowerCutDisk disk;
  Desk desk;
  const auto before = record(disk, desk);
  disk.stop_noting();
  const auto all = disk.count();
  std::mt19937 dice(11);
  int still_there = 0, under_way_kept = 0, under_way_lost = 0;
  for (int cut = 0; cut < 150; ++cut) {
    // The first ones are in the making of the file.
    const auto count = cut < 20 ? static_cast<std::size_t>(cut)
                                : std::uniform_int_distribution(before.first_offer, all)(dice);
    const auto folder = Desk::fresh_folder();
    disk.files_after(count, dice, folder);
    const bool promised = count >= before.first_offer;
    if (promised)  // it is written, and synced, before the first commit
      std::ofstream(folder / "outbox-numbers.json")
          << std::prev(before.numbers.upper_bound(count))->second;
    const auto after = look_after(folder, before);
    const auto where = fmt::format("cut {} behind {} of {} operations", cut, count, all);
    EXPECT_TRUE(after.alerts.empty()) << where << ": " << after.alerts[0].text;
    if (!promised) continue;
    std::map<std::string, std::uint64_t> offered, given;
    for (int number = 0; number < static_cast<int>(before.sent.size()); ++number) {
      const auto& sent = before.sent[number];
      const bool heard = after.heard.contains(number);
      if (sent.sequence > 0 && sent.offered <= count)
        offered[sent.key] = std::max(offered[sent.key], sent.sequence);
      if (sent.sequence > 0 && (heard || sent.offered <= count))
        given[sent.key] = std::max(given[sent.key], sent.sequence);
      if (sent.offered <= count && sent.acknowledged >= count)
        EXPECT_TRUE(heard) << where << ": lost " << sent.key << "#" << sent.sequence;
      if (sent.settled <= count)
        EXPECT_FALSE(heard) << where << ": again " << sent.key << "#" << sent.sequence;
      still_there += heard && sent.acknowledged < count ? 1 : 0;
      if (sent.offered > count && heard) ++under_way_kept;
    }
    for (const char* key : {"line/a", "line/b"}) {
      EXPECT_EQ(after.next.at(key), given[key] + 1) << where << ": " << key;
      // No hole behind what was offered: what the cut left of the commit under way is whole.
      for (int number = 0; number < static_cast<int>(before.sent.size()); ++number) {
        const auto& sent = before.sent[number];
        if (sent.key == key && sent.sequence > offered[key] && sent.sequence <= given[key])
          EXPECT_TRUE(after.heard.contains(number)) << where;
        if (sent.key == key && sent.sequence == given[key] + 1) ++under_way_lost;
      }
    }
  }
  // The cuts were no formality: some fell into commits and kept them or lost them, and some
  // acknowledgements were forgotten.
  EXPECT_GT(under_way_kept, 0);
  EXPECT_GT(under_way_lost, 0);
  EXPECT_GT(still_there, 0);
}

const Alert* find(const std::vector<Alert>& active, std::string_view rule, std::string_view point) {
  const auto found = std::ranges::find_if(
      active, [&](const Alert& alert) { return alert.rule == rule && alert.point == point; });
  return found == active.end() ? nullptr : &*found;
}

// `fail(true)` breaks the disk, `fail(false)` mends it.
void lives_through(const char* rule, const std::function<void(PowerCutDisk&, bool)>& fail) {
  PowerCutDisk disk;
  disk.stop_noting();
  Desk desk;
  auto queue = desk.open().queue("mqtt");
  desk.alerts.raise({.rule = rule, .point = "history"});
  for (int i = 1; i <= 3; ++i) queue->push(Desk::message("line/a", i));
  desk.settle();
  queue->acknowledge(queue->next()->id);
  queue->next();  // #2 is under way all the time

  fail(disk, true);
  int taken = 3;
  while (queue->push(Desk::message("line/a", taken + 1, Lane::measurement, 64 << 10))) {
    ++taken;
    if (taken == 4) desk.settle();  // the disk refuses
  }
  ASSERT_NE(find(desk.alerts.active(), rule, "outbox"), nullptr);
  EXPECT_EQ(find(desk.alerts.active(), rule, "outbox")->severity, Alert::Severity::critical);
  EXPECT_TRUE(desk.file->failing());
  EXPECT_GT(taken, 50) << "4 MB of memory take some";
  EXPECT_EQ(queue->unmade(), 1u);
  EXPECT_FALSE(queue->push(Desk::message("line/a", 0, Lane::measurement, 64 << 10)));
  EXPECT_EQ(queue->unmade(), 2u);
  desk.settle();
  desk.settle();  // tried again, refused again
  ASSERT_NE(queue->peek(), nullptr);
  EXPECT_EQ(queue->next()->sequence, 3u) << "what was safe is offered meanwhile";
  EXPECT_EQ(queue->next(), nullptr) << "what is not on disk is not";

  fail(disk, false);
  desk.settle();
  EXPECT_EQ(find(desk.alerts.active(), rule, "outbox"), nullptr);
  EXPECT_NE(find(desk.alerts.active(), rule, "history"), nullptr) << "is another's";
  EXPECT_EQ(find(desk.alerts.active(), "outbox-damaged", ""), nullptr);
  EXPECT_FALSE(desk.file->failing());
  queue->push(Desk::message("line/a", taken + 1));
  desk.settle();
  queue->resend_all();
  queue.reset();
  desk.leave();

  queue = desk.open().queue("mqtt");
  std::vector<std::string> expected;
  for (int number = 2; number <= taken + 1; ++number)
    expected.push_back(fmt::format("line/a#{}", number));
  EXPECT_EQ(desk.drain(*queue), expected);
}

TEST(OutboxDiskTrouble, WritesThatFailForAWhileLoseNothingAndSkipNoNumber) {
  lives_through("disk-failing", [](PowerCutDisk& disk, bool fails) {
    disk.fail_writes(fails ? SQLITE_IOERR_WRITE : SQLITE_OK);
  });
}

TEST(OutboxDiskTrouble, SyncsThatFailForAWhileLoseNothingAndSkipNoNumber) {
  lives_through("disk-failing", [](PowerCutDisk& disk, bool fails) {
    disk.fail_syncs(fails ? SQLITE_IOERR_FSYNC : SQLITE_OK);
  });
}

TEST(OutboxDiskTrouble, AFullDiskIsNotTheSameAsTheHistorysFullDisk) {
  lives_through("disk-full", [](PowerCutDisk& disk, bool fails) {
    disk.fail_writes(fails ? SQLITE_FULL : SQLITE_OK);
  });
}

}  // namespace
}  // namespace lightship
