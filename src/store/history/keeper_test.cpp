// The keeper beside clocks that jump, files that are damaged, and disks that take nothing.
#include "store/history/keeper.h"

#include <sys/resource.h>
#include <csignal>
#include <fstream>

#include <gtest/gtest.h>

#include "store/history/recover.h"
#include "store/history/site_for_test.h"

namespace lightship::history {
namespace {

using namespace std::chrono_literals;

constexpr Millis kHour = 3'600'000;
constexpr Millis kTenYears = 10 * 365 * 24 * kHour;
constexpr Retention kShort{.raw = kHour, .minute = kHour, .hour = kHour, .day = kHour};

// A keeper, what its meter recorded, and the two clocks.
struct Bench {
  explicit Bench(const Folder& folder) : keeper({.file = folder.file(), .retention = kShort}) {}

  Keeper::Report turn() {
    auto report = keeper.work({}, appended, kStart + wall, MonoTime(1h) + steady);
    EXPECT_TRUE(report.done.has_value()) << report.done.error().text;
    return report;
  }
  void pass(std::chrono::milliseconds time) {
    wall += time.count();
    steady += time;
  }
  // A minute of polls, appended and committed at its end.
  void minute(Meter& meter) {
    for (int second = 0; second < 60; second += 10)
      meter.poll(static_cast<double>(wall) / 1000 + second, 230.0);
    pass(60s);
    auto batch = meter.recorder.take_batch();
    if (first) batch.layouts = meter.recorder.layouts();
    first = false;
    const auto report = keeper.work({&batch}, appended, kStart + wall, MonoTime(1h) + steady);
    ASSERT_TRUE(report.done.has_value()) << report.done.error().text;
    ASSERT_EQ(appended, 1u);
  }

  Keeper keeper;
  Millis wall = 0;
  std::chrono::milliseconds steady{};
  std::size_t appended = 0;
  bool first = true;
};

std::size_t raw_values(const Folder& folder) {
  auto history = History::open(folder.file());
  EXPECT_TRUE(history.has_value()) << history.error().text;
  if (!history) return 0;
  const auto series = history->find("panel/meter/voltage");
  if (!series || series->empty()) return 0;
  return samples_of(*history, "panel/meter/voltage").size();
}

void record(const Folder& folder, int minutes) {
  Meter meter;
  Bench bench(folder);
  bench.turn();
  for (int i = 0; i < minutes; ++i) bench.minute(meter);
}

TEST(Keeper, DeletesNothingForAClockThatIsWrongForAMoment) {
  const Folder folder;
  Meter meter;
  Bench bench(folder);
  bench.turn();
  for (int i = 0; i < 90; ++i) bench.minute(meter);
  ASSERT_EQ(raw_values(folder), 540u);
  bench.wall += kTenYears;
  for (int i = 0; i < 3; ++i) {
    bench.turn();
    bench.pass(1s);
  }
  EXPECT_EQ(raw_values(folder), 540u);
  bench.wall -= kTenYears;
  for (int i = 0; i < 50; ++i) bench.minute(meter);
  EXPECT_EQ(raw_values(folder), 840u);
}

TEST(Keeper, DeletesWhatIsPastItsTimeWhileTheClockRunsOn) {
  const Folder folder;
  Meter meter;
  Bench bench(folder);
  bench.turn();
  for (int i = 0; i < 30 * 60; ++i) bench.minute(meter);  // the journal is compacted daily
  EXPECT_LT(raw_values(folder), 24u * 360);
  EXPECT_GE(raw_values(folder), 360u);
}

TEST(Keeper, KeepsWhatIsThereWhenNothingNewComes) {
  const Folder folder;
  Meter meter;
  Bench bench(folder);
  bench.turn();
  for (int i = 0; i < 90; ++i) bench.minute(meter);
  for (int hour = 0; hour < 48; ++hour) {
    bench.pass(1h);
    bench.turn();
  }
  EXPECT_EQ(raw_values(folder), 540u);
}

TEST(Keeper, MakesUpRollUpsAlsoAfterATimeInTheFuture) {
  const Folder folder;
  {
    Meter meter;
    auto writer = Writer::open(folder.file());
    ASSERT_TRUE(writer.has_value());
    for (int second = 0; second < 150; second += 10) meter.poll(second, 230.0);
    ASSERT_TRUE(writer->append(meter.recorder.take_batch()));
    ASSERT_TRUE(set_meta(writer->database(), "rolled_up_till", kStart + kTenYears));
  }
  auto writer = Writer::open(folder.file());
  ASSERT_TRUE(writer.has_value());
  EXPECT_EQ(make_up_rollups(writer->database(), kStart + 160'000).value(), 4u);
}

TEST(Keeper, FinishesARepairThatAKillEnded) {
  const Folder folder;
  record(folder, 10);
  std::filesystem::rename(folder.file(), folder.file().string() + ".repaired");
  std::ofstream(folder.file().string() + "-wal") << "of the damaged file";
  Bench(folder).turn();
  EXPECT_EQ(raw_values(folder), 60u);
}

TEST(Keeper, StartsARepairAgainThatDidNotComeToItsEnd) {
  const Folder folder;
  record(folder, 10);
  std::ofstream(folder.file().string() + ".repaired") << "half";
  Bench(folder).turn();
  EXPECT_EQ(raw_values(folder), 60u);
  EXPECT_FALSE(std::filesystem::exists(folder.file().string() + ".repaired"));
}

TEST(Keeper, LeavesNothingOfARepairThatFindsNoRoom) {
  const Folder folder;
  record(folder, 600);
  struct rlimit was{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &was), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  auto small = was;
  small.rlim_cur = 49'152;  // the log of the new file does not fit
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto saved = repair(folder.file(), kStart);
  setrlimit(RLIMIT_FSIZE, &was);
  std::signal(SIGXFSZ, handler);
  EXPECT_FALSE(saved.has_value());
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    ++files;
    EXPECT_FALSE(entry.path().string().contains(".repaired")) << entry.path();
    EXPECT_FALSE(entry.path().string().contains(".damaged")) << entry.path();
  }
  EXPECT_GE(files, 1u);
  EXPECT_EQ(raw_values(folder), 3600u);
}

TEST(Keeper, TriesARepairThatFailsAgainWithPausesAndMovesNothing) {
  const Folder folder;
  record(folder, 600);
  {
    std::fstream file(folder.file(), std::ios::in | std::ios::out | std::ios::binary);
    file << std::string(100, '\0');
  }
  struct rlimit was{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &was), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  auto small = was;
  small.rlim_cur = 49'152;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  Bench bench(folder);
  std::size_t appended = 0;
  const auto work = [&](Duration at) {
    return bench.keeper.work({}, appended, kStart, MonoTime(1h) + at).done.has_value();
  };
  const bool at_once = work(0s);
  setrlimit(RLIMIT_FSIZE, &was);
  std::signal(SIGXFSZ, handler);
  EXPECT_FALSE(at_once);
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    EXPECT_FALSE(entry.path().string().contains(".damaged")) << entry.path();
  EXPECT_FALSE(work(1s));  // there is room now, and its time has not come
  EXPECT_TRUE(work(10s));
  EXPECT_EQ(raw_values(folder), 3600u);
}

TEST(Keeper, LosesNothingWhereTheFirstPageIsOverwritten) {
  const std::pair<int, std::string> damages[] = {{0, std::string(16, '\0')},
                                                 {0, std::string(100, '\xA5')},
                                                 {44, "\x7f\x7f\x7f\x7f"},
                                                 {60, "\x7f\x7f\x7f\x7f"},
                                                 {0, std::string(4096, '\0')}};
  for (const auto& [at, what] : damages) {
    SCOPED_TRACE(fmt::format("{} bytes at {}", what.size(), at));
    const Folder folder;
    record(folder, 10);
    {
      std::fstream file(folder.file(), std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(at);
      file << what;
    }
    Bench bench(folder);
    EXPECT_NE(bench.turn().repaired, "");
    EXPECT_EQ(raw_values(folder), 60u);
  }
}

TEST(Keeper, KeepsOfDamagedFilesTheNewestOnly) {
  const Folder folder;
  for (int turn = 0; turn < 3; ++turn) {
    record(folder, 1);
    std::ofstream(folder.file()) << std::string(8192, 'x');
    ASSERT_TRUE(repair(folder.file(), kStart + turn * kHour).has_value());
  }
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    files += entry.path().string().contains(".damaged-") && entry.path().string().ends_with("Z");
  EXPECT_EQ(files, 1u);
}

TEST(Keeper, ARepairThatIsStoppedChangesNothing) {
  const Folder folder;
  record(folder, 10);
  const std::atomic<bool> stop = true;
  const auto saved = repair(folder.file(), kStart, &stop);
  ASSERT_FALSE(saved.has_value());
  EXPECT_EQ(saved.error().code, Errc::cancelled);
  EXPECT_EQ(raw_values(folder), 60u);
}

TEST(Keeper, WritesTheLastBatchThoughItWasNeverOpened) {
  const Folder folder;
  record(folder, 10);
  Meter meter;
  for (int second = 6000; second < 6060; second += 10) meter.poll(second, 230.0);
  const auto batch = meter.recorder.take_batch();
  Batch everyone;
  everyone.layouts = meter.recorder.layouts();
  Bench bench(folder);
  bench.keeper.stop();
  std::size_t appended = 0;
  const auto report =
      bench.keeper.close(everyone, {&batch}, appended, kStart + 7'000'000, MonoTime(1h));
  EXPECT_TRUE(report.done.has_value()) << report.done.error().text;
  EXPECT_EQ(appended, 1u);
  EXPECT_EQ(raw_values(folder), 66u);
}

}  // namespace
}  // namespace lightship::history
