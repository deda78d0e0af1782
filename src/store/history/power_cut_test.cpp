// Power cuts in the middle of commits, checkpoints and compactions: never damage, never a hole.
#include <memory>

#include <gtest/gtest.h>

#include "store/history/site_for_test.h"
#include "store/testing/power_cut_disk.h"

namespace lightship::history {
namespace {

using testing::PowerCutDisk;

struct Commit {
  std::size_t ops = 0;    // that were done when it had returned
  std::size_t polls = 0;  // that are in it and those before
};

// A history of 300 polls with a commit for each third, checkpoints and two compactions.
std::vector<Commit> record(const PowerCutDisk& disk, const std::filesystem::path& file) {
  std::vector<Commit> commits;
  Meter meter;
  auto opened = Writer::open(file);
  EXPECT_TRUE(opened.has_value());
  if (!opened) return commits;
  auto& writer = *opened;
  EXPECT_TRUE(writer.database().execute("PRAGMA wal_autocheckpoint=12"));
  for (int poll = 0; poll < 300; ++poll) {
    meter.poll(poll * 10, poll, poll * 7919 % 1000);
    if (poll % 3 != 2) continue;
    EXPECT_TRUE(writer.append(meter.recorder.take_batch()));
    commits.push_back({disk.count(), static_cast<std::size_t>(poll + 1)});
    if (poll % 120 == 119) {
      EXPECT_TRUE(compact(writer.database(), INT64_MAX));
    }
  }
  return commits;
}

TEST(PowerCut, NeverDamagesTheFileAndLeavesAllThatCameBeforeASync) {
  const Folder folder;
  PowerCutDisk disk;
  const auto commits = record(disk, folder.file());
  disk.stop_noting();  // what follows writes, too
  const auto all = disk.count();
  std::mt19937 dice(7);
  const auto first = commits.front().ops;
  std::size_t whole = 0;
  for (int cut = 0; cut < 150; ++cut) {
    const auto count = std::uniform_int_distribution<std::size_t>(first, all)(dice);
    const auto here = folder.path() / "after";
    disk.files_after(count, dice, here);
    const auto sure_ops = disk.synced("history.db-wal", count);
    std::size_t sure = 0, most = 0;
    for (const auto& commit : commits) {
      if (commit.ops <= sure_ops) sure = commit.polls;
      if (most == 0 || commit.ops <= count) most = commit.polls;
    }
    most += 3;  // the commit under way
    {
      auto writer = Writer::open(here / kFileName);
      ASSERT_TRUE(writer.has_value()) << "cut " << cut << ": " << writer.error().text;
      EXPECT_EQ(writer->database().check().value(), "") << "cut " << cut;
    }
    auto history = History::open(here / kFileName);
    ASSERT_TRUE(history.has_value());
    const auto series = history->find("panel/meter/voltage");
    const auto raw =
        series->empty() ? std::vector<Sample>{} : samples_of(*history, "panel/meter/voltage");
    EXPECT_GE(raw.size(), sure) << "cut " << cut;
    EXPECT_LE(raw.size(), most) << "cut " << cut;
    for (std::size_t i = 0; i < raw.size(); ++i)
      ASSERT_EQ(as_double(raw[i].value), static_cast<double>(i)) << "cut " << cut;
    EXPECT_EQ(history->damaged(), 0u);
    whole += raw.size() == most - 3 || raw.size() == most ? 1 : 0;
  }
  // The cuts were no formality: some lost what was not synced, some lost nothing.
  EXPECT_GT(whole, 5u);
  EXPECT_LT(whole, 150u);
}

}  // namespace
}  // namespace lightship::history
