// The outbox with a first page that is damaged, an old copy, and an end in the middle of opening.
#include <sys/resource.h>
#include <csignal>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/outbox_file.h"
#include "store/testing/desk.h"

namespace lightship {
namespace {

using testing::Desk;
using Heard = std::vector<std::string>;
using namespace std::chrono_literals;

void overwrite(const std::filesystem::path& path, int at, const std::string& what) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(at);
  file << what;
}

std::size_t damaged_files(const Desk& desk) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(desk.folder)) {
    const auto name = entry.path().filename().string();
    count += name.contains(".damaged-") && name.ends_with("Z");
  }
  return count;
}

TEST(OutboxFirstPage, LosesNothingWhereTheHeaderOrAllOfItIsOverwritten) {
  const std::pair<int, std::string> damages[] = {
      {0, std::string(16, '\0')}, {0, std::string(100, '\xA5')}, {0, std::string(100, '\0')},
      {44, "\x7f\x7f\x7f\x7f"},   {0, std::string(4096, '\0')},  {100, std::string(2000, '\xA5')}};
  for (const auto& [at, what] : damages) {
    SCOPED_TRACE(fmt::format("{} bytes at {}", what.size(), at));
    Desk desk;
    auto queue = desk.open().queue("mqtt");
    for (int i = 1; i <= 300; ++i) queue->push(Desk::message("panel/a", i));
    desk.settle();
    queue.reset();
    desk.leave();
    overwrite(desk.path(), at, what);
    queue = desk.open().queue("mqtt");
    EXPECT_EQ(queue->waiting(), 300u);
    queue->push(Desk::message("panel/a", 301));
    const auto heard = desk.drain(*queue);
    ASSERT_EQ(heard.size(), 301u);
    EXPECT_EQ(heard[0], "panel/a#1");
    EXPECT_EQ(heard[299], "panel/a#300");
    EXPECT_EQ(damaged_files(desk), 1u);
  }
}

// No file may grow beyond this: a disk with little room.
struct LittleRoom {
  explicit LittleRoom(rlim_t bytes) : handler(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &was);
    auto small = was;
    small.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~LittleRoom() {
    setrlimit(RLIMIT_FSIZE, &was);
    std::signal(SIGXFSZ, handler);
  }
  LittleRoom(const LittleRoom&) = delete;
  LittleRoom& operator=(const LittleRoom&) = delete;
  struct rlimit was{};
  void (*handler)(int);
};

TEST(OutboxFirstPage, MovesNothingAsideWhereThereIsNoRoomToTakeItOver) {
  Desk desk;
  auto queue = desk.open().queue("mqtt");
  for (int i = 1; i <= 300; ++i) queue->push(Desk::message("panel/a", i, Lane::measurement, 2000));
  desk.settle();
  queue.reset();
  desk.leave();
  overwrite(desk.path(), 0, std::string(100, '\0'));
  {
    const LittleRoom little(300'000);
    OutboxDisk disk(desk.path());
    const auto found = disk.open(desk.clock.now(), {});
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error().code, Errc::unavailable);
    EXPECT_TRUE(disk.waits_for_salvage());
  }
  EXPECT_EQ(damaged_files(desk), 0u);
  EXPECT_FALSE(std::filesystem::exists(desk.path().string() + ".new"));
  queue = desk.open().queue("mqtt");
  EXPECT_EQ(queue->waiting(), 300u);
}

TEST(OutboxFirstPage, NeedsRoomForWhatIsTakenOverOnly) {
  Desk desk;
  auto queue = desk.open().queue("mqtt");
  for (int i = 1; i <= 1000; ++i) queue->push(Desk::message("panel/a", i, Lane::measurement, 3000));
  desk.settle();
  for (int i = 0; i < 900;) {
    while (const auto* next = queue->next()) {
      queue->acknowledge(next->id);
      if (++i == 900) break;
    }
    desk.settle();
    desk.loop.restart();
    desk.loop.run_for(1ms);
  }
  desk.settle();
  const auto left = queue->waiting();
  queue.reset();
  desk.leave();
  ASSERT_GT(std::filesystem::file_size(desk.path()), 3'000'000u);
  overwrite(desk.path(), 0, std::string(100, '\0'));
  {
    const LittleRoom little(1'500'000);
    OutboxDisk disk(desk.path());
    const auto found = disk.open(desk.clock.now(), {});
    EXPECT_TRUE(found.has_value()) << found.error().text;
  }
  queue = desk.open().queue("mqtt");
  EXPECT_EQ(queue->waiting(), left);
}

TEST(OutboxFirstPage, KeepsOfDamagedFilesTheNewestOnlyThoughTheClockWasSetBack) {
  Desk desk;
  const std::filesystem::path future = desk.path().string() + ".damaged-29991231T235959Z";
  std::ofstream(future) << "of a clock that was wrong";
  for (int turn = 0; turn < 3; ++turn) {
    auto queue = desk.open().queue("mqtt");
    queue->push(Desk::message("panel/a", turn));
    desk.settle();
    queue.reset();
    desk.leave();
    overwrite(desk.path(), 0, std::string(100, '\0'));
    desk.clock.advance(1h);
  }
  desk.open();
  EXPECT_EQ(damaged_files(desk), 1u);
  EXPECT_FALSE(std::filesystem::exists(future));
  EXPECT_FALSE(std::filesystem::exists(desk.path().string() + ".new-shm"));
}

// Takes the files of the folder as they are, and puts them back.
struct Copy {
  explicit Copy(const Desk& desk) : to(Desk::fresh_folder()) {
    for (const char* name : {"outbox.db", "outbox.db-wal"})
      std::filesystem::copy_file(desk.folder / name, to / name);
  }
  ~Copy() { std::filesystem::remove_all(to); }
  void put_back(const Desk& desk) const {
    std::filesystem::remove(desk.path().string() + "-shm");
    for (const char* name : {"outbox.db", "outbox.db-wal"})
      std::filesystem::copy_file(to / name, desk.folder / name,
                                 std::filesystem::copy_options::overwrite_existing);
  }
  std::filesystem::path to;
};

std::uint64_t next_number(Desk& desk) {
  auto queue = desk.open().queue("mqtt");
  queue->push(Desk::message("panel/a", 0));
  desk.settle();
  std::uint64_t last = 0;
  while (const auto* message = queue->next()) {
    last = message->sequence;
    queue->acknowledge(message->id);
  }
  queue.reset();
  desk.leave();
  return last;
}

TEST(OutboxOldCopy, GivesNoNumberTwiceThoughItIsFewNumbersBehind) {
  Desk desk;
  EXPECT_EQ(next_number(desk), 1u);
  EXPECT_EQ(next_number(desk), 2u);
  const Copy copy(desk);
  EXPECT_EQ(next_number(desk), 3u);
  copy.put_back(desk);
  EXPECT_GT(next_number(desk), 3u);
}

TEST(OutboxOldCopy, KnowsACopyOfTheRunThatEnded) {
  Desk desk;
  auto queue = desk.open().queue("mqtt");
  queue->push(Desk::message("panel/a", 1));
  desk.settle();
  const Copy copy(desk);
  queue->push(Desk::message("panel/a", 2));
  desk.settle();
  queue.reset();
  desk.leave();
  copy.put_back(desk);
  EXPECT_GT(next_number(desk), 2u);
}

TEST(OutboxOldCopy, SkipsNothingOverOrdinaryRestartsAndKills) {
  Desk desk;
  for (std::uint64_t i = 1; i <= 5; ++i) EXPECT_EQ(next_number(desk), i);
  auto queue = desk.open().queue("mqtt");
  queue->push(Desk::message("panel/a", 1));
  desk.settle();
  // As after kill -9: the files as they are.
  Desk after;
  for (const char* name : {"outbox.db", "outbox.db-wal", "outbox-numbers.json"})
    std::filesystem::copy_file(desk.folder / name, after.folder / name);
  queue.reset();
  desk.leave();
  EXPECT_EQ(next_number(after), 7u);
}

TEST(OutboxEnd, WritesWhatWaitsThoughItWasNeverOpened) {
  Desk desk;
  for (int turn = 0; turn < 20; ++turn) {
    desk.file = OutboxFile::open(desk.context, desk.path(), desk.settings);
    auto queue = desk.file->queue("mqtt");
    queue->push(Desk::message("panel/a", turn));
    queue.reset();
    desk.leave();  // before the loop has had a turn
  }
  auto queue = desk.open().queue("mqtt");
  const auto heard = desk.drain(*queue);
  ASSERT_EQ(heard.size(), 20u);
  EXPECT_EQ(heard.back(), "panel/a#20");
}

TEST(OutboxEnd, LeavesARepairToTheNextStart) {
  Desk desk;
  auto queue = desk.open().queue("mqtt");
  for (int i = 1; i <= 300; ++i) queue->push(Desk::message("panel/a", i));
  desk.settle();
  queue.reset();
  desk.leave();
  overwrite(desk.path(), 0, std::string(100, '\0'));
  OutboxDisk disk(desk.path());
  disk.stop();
  const auto found = disk.open(desk.clock.now(), {});
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, Errc::cancelled);
  queue = desk.open().queue("mqtt");
  EXPECT_EQ(queue->waiting(), 300u);
}

TEST(OutboxAge, AWallClockThatIsSetBackMakesNothingYoung) {
  Desk desk;
  auto queue = desk.open().queue("mqtt");
  const auto long_ago = desk.clock.now();
  for (int i = 0; i < 3000; ++i) {  // more than its window: most are read from disk again
    auto message = Desk::message("a", i);
    message.timestamp = long_ago + 1h;  // the clock has been set back by an hour since
    queue->push(std::move(message));
    if (i % 400 == 0) desk.settle();
  }
  desk.settle();
  desk.clock.advance(11s);
  std::size_t late = 0, seen = 0;
  for (int turn = 0; turn < 2000 && seen < 3000; ++turn) {
    while (const auto* message = queue->next()) {
      ++seen;
      late += message->historical(desk.clock.now(), desk.clock.mono());
      queue->acknowledge(message->id);
    }
    desk.settle();
    desk.loop.restart();
    desk.loop.run_for(1ms);
  }
  EXPECT_EQ(seen, 3000u);
  EXPECT_EQ(late, 3000u);
}

TEST(OutboxAges, AreNeverYoungerThanTheMessageAndBounded) {
  OutboxAges ages;
  EXPECT_EQ(ages.of(1), MonoTime::max());
  for (std::uint64_t id = 1; id <= 100'000; ++id) ages.note(id, MonoTime(id * 1s));
  for (const std::uint64_t id : {1ull, 500ull, 50'000ull, 99'999ull}) {
    EXPECT_GE(ages.of(id), MonoTime(id * 1s));
    EXPECT_LE(ages.of(id), MonoTime((id + 300) * 1s));
  }
  EXPECT_EQ(ages.of(100'000), MonoTime(100'000s));
}

TEST(OutboxTrouble, ThatAnEarlierRunHasToldIsOverWithTheFirstCommit) {
  Desk desk;
  desk.alerts.remember({.rule = "disk-full", .point = "outbox"}, true);
  auto queue = desk.open().queue("mqtt");
  queue->push(Desk::message("a", 1));
  desk.settle();
  EXPECT_TRUE(desk.alerts.active().empty());
}

TEST(OutboxFolder, ADirectoryInItsPlaceIsNamed) {
  const auto folder = Desk::fresh_folder();
  std::filesystem::create_directories(folder / "outbox.db");
  OutboxDisk disk(folder / "outbox.db");
  const auto found = disk.open(Time{}, {});
  ASSERT_FALSE(found.has_value());
  EXPECT_THAT(found.error().text, ::testing::HasSubstr("is a directory"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace lightship
