// From readings to the file and back: raw values, roll-ups, counters, compaction, expiry.
#include <gtest/gtest.h>

#include "store/history/recover.h"
#include "store/history/site_for_test.h"

namespace lightship::history {
namespace {

using namespace std::chrono_literals;

Writer writer_at(const Folder& folder) {
  auto opened = Writer::open(folder.file());
  EXPECT_TRUE(opened.has_value()) << opened.error().text;
  return std::move(*opened);
}
History history_at(const Folder& folder) {
  auto opened = History::open(folder.file());
  EXPECT_TRUE(opened.has_value()) << opened.error().text;
  return std::move(*opened);
}

// Two hours of polls each ten seconds, committed each minute; the voltage goes from 230 to 231 and
// back each minute, and 0.01 kWh are counted with each poll.
void two_hours(Meter& meter, Writer& writer, int minutes = 120) {
  for (int second = 0; second < minutes * 60; second += 10) {
    meter.poll(second, second % 60 < 30 ? 230.0 : 231.0, 3600, 5 + second / 10 * 0.01);
    if (second % 60 == 50) {
      ASSERT_TRUE(writer.append(meter.recorder.take_batch()));
    }
  }
  meter.recorder.close_all(from_millis(kStart + minutes * 60'000));
  ASSERT_TRUE(writer.append(meter.recorder.take_batch()));
}

void expect_two_hours(const Folder& folder) {
  auto history = history_at(folder);
  const auto raw = samples_of(history, "panel/meter/voltage");
  ASSERT_EQ(raw.size(), 720u);
  for (std::size_t i = 0; i < raw.size(); ++i) {
    ASSERT_EQ(raw[i].at, kStart + static_cast<Millis>(i) * 10'000);
    ASSERT_EQ(raw[i].value, (Value{Real{i % 6 < 3 ? 230.0 : 231.0, 1}})) << i;
  }
  const auto minutes = steps_of(history, "panel/meter/voltage", 60'000);
  ASSERT_EQ(minutes.size(), 120u);
  for (const auto& minute : minutes) {
    ASSERT_EQ(minute.min, 230);
    ASSERT_EQ(minute.max, 231);
    ASSERT_DOUBLE_EQ(minute.avg, 230.5);
    ASSERT_EQ(minute.count, 6u);
    ASSERT_EQ(minute.good, 60'000);
  }
  const auto quarters = steps_of(history, "panel/meter/voltage", 15 * 60'000);
  ASSERT_EQ(quarters.size(), 8u);
  EXPECT_EQ(quarters[3].count, 90u);
  EXPECT_EQ(coverage(quarters[3], 15 * 60'000), 100);
  const auto hours = steps_of(history, "panel/meter/energy_import", 3'600'000);
  ASSERT_EQ(hours.size(), 2u);
  EXPECT_NEAR(hours[0].increase, 3.59, 1e-6);  // the first read counts from itself
  EXPECT_NEAR(hours[1].increase, 3.60, 1e-6);
  EXPECT_NEAR(hours[1].last, 5 + 719 * 0.01, 1e-6);
  const auto days = steps_of(history, "panel/meter/voltage", 86'400'000);
  ASSERT_EQ(days.size(), 1u);
  EXPECT_EQ(days[0].count, 720u);
  EXPECT_EQ(history.damaged(), 0u);
}

TEST(History, GivesBackWhatWasCommitted) {
  const Folder folder;
  Meter meter;
  auto writer = writer_at(folder);
  two_hours(meter, writer);
  expect_two_hours(folder);
}

TEST(History, SaysTheSameAfterCompaction) {
  const Folder folder;
  Meter meter;
  auto writer = writer_at(folder);
  two_hours(meter, writer);
  for (const auto minutes : {30, 45, 121}) {  // in any pieces
    const auto done = compact(writer.database(), kStart + minutes * 60'000);
    ASSERT_TRUE(done.has_value()) << done.error().text;
    EXPECT_GT(done->blocks, 0u);
    EXPECT_EQ(done->damaged, 0u);
    expect_two_hours(folder);
  }
  EXPECT_EQ(writer.database().integer("SELECT count(*) FROM journal").value(), 0);
}

TEST(History, KeepsItsBytesFew) {
  const Folder folder;
  Meter meter;
  auto writer = writer_at(folder);
  two_hours(meter, writer);
  ASSERT_TRUE(compact(writer.database(), INT64_MAX));
  const auto bytes = writer.database().integer("SELECT sum(length(blob)) FROM chunk WHERE tier=0");
  EXPECT_LT(*bytes, 4 * 720 * 2);  // four points, below two bytes a value
}

TEST(History, ReadsAPartOfTheTime) {
  const Folder folder;
  Meter meter;
  auto writer = writer_at(folder);
  two_hours(meter, writer);
  ASSERT_TRUE(compact(writer.database(), kStart + 60 * 60'000));
  auto history = history_at(folder);
  const auto raw =
      samples_of(history, "panel/meter/voltage", kStart + 3'000'000, kStart + 4'000'000);
  ASSERT_EQ(raw.size(), 100u);
  EXPECT_EQ(raw.front().at, kStart + 3'000'000);
  EXPECT_EQ(raw.back().at, kStart + 3'990'000);
  const auto series = history.find("panel/meter/voltage");
  int rows = 0;
  ASSERT_TRUE(history.samples(series->front().id, 0, INT64_MAX / 2, [&](const Sample&) {
    return ++rows < 10;  // enough
  }));
  EXPECT_EQ(rows, 10);
}

TEST(History, FindsSeriesByPattern) {
  const Folder folder;
  Meter meter;
  auto writer = writer_at(folder);
  two_hours(meter, writer, 1);
  auto history = history_at(folder);
  EXPECT_EQ(history.find("panel/*")->size(), 4u);
  EXPECT_EQ(history.find("panel/meter/v*")->front().unit, "V");
  EXPECT_EQ(history.find("panel/meter/online")->front().kind, Kind::state);
  EXPECT_EQ(history.find("panel/meter/energy_import")->front().kind, Kind::counter);
  EXPECT_TRUE(history.find("panel/meter/nothing")->empty());
}

TEST(History, KeepsItsSeriesWhenTheLabelChanges) {
  const Folder folder;
  for (const char* label : {"", "Main meter", "Hauptzähler"}) {
    Meter meter;
    meter.catalog.device(
        {.connection = "panel", .client = "meter", .label = label, .poll_interval = 10s});
    auto writer = writer_at(folder);
    meter.poll(0, 230.0);
    ASSERT_TRUE(writer.append(meter.recorder.take_batch()));
  }
  auto history = history_at(folder);
  EXPECT_EQ(history.find("*")->size(), 4u);
  EXPECT_EQ(samples_of(history, "panel/meter/voltage").size(), 3u);
}

TEST(History, MarksAGapAndSaysWhy) {
  const Folder folder;
  Meter meter;
  auto writer = writer_at(folder);
  for (int second = 0; second < 180; second += 10)
    meter.poll(second, second >= 30 && second < 120 ? std::nullopt : std::optional(230.0));
  meter.recorder.close_all(from_millis(kStart + 180'000));
  ASSERT_TRUE(writer.append(meter.recorder.take_batch()));
  auto history = history_at(folder);
  const auto minutes = steps_of(history, "panel/meter/voltage", 60'000);
  ASSERT_EQ(minutes.size(), 3u);
  EXPECT_EQ(coverage(minutes[0], 60'000), 50);
  EXPECT_EQ(minutes[0].avg, 230);
  EXPECT_FALSE(minutes[1].has_value());
  EXPECT_EQ(minutes[1].reason, Reason::timeout);
  EXPECT_EQ(coverage(minutes[2], 60'000), 100);
  EXPECT_EQ(samples_of(history, "panel/meter/voltage")[4].reason, Reason::timeout);
}

TEST(History, BeginsASegmentWhenTheClockIsSetBack) {
  const Folder folder;
  Meter meter;
  auto writer = writer_at(folder);
  for (int second = 3600; second < 3720; second += 10) meter.poll(second, 230.0);
  meter.clock_set_back = 1h;
  for (int second = 120; second < 240; second += 10) meter.poll(second, 100.0);
  meter.recorder.close_all(from_millis(kStart + 240'000));
  ASSERT_TRUE(writer.append(meter.recorder.take_batch()));
  EXPECT_EQ(meter.recorder.clock_steps(), 1u);
  for (const bool compacted : {false, true}) {
    if (compacted) {
      ASSERT_TRUE(compact(writer.database(), INT64_MAX));
    }
    auto history = history_at(folder);
    const auto raw = samples_of(history, "panel/meter/voltage");
    ASSERT_EQ(raw.size(), 24u);
    EXPECT_TRUE(std::ranges::is_sorted(raw, {}, &Sample::at));
    const auto minutes = steps_of(history, "panel/meter/voltage", 60'000);
    ASSERT_EQ(minutes.size(), 4u);
    EXPECT_EQ(minutes[0].start, kStart + 120'000);
    EXPECT_EQ(minutes[0].avg, 100);
    EXPECT_EQ(minutes[2].avg, 230);
    EXPECT_EQ(minutes[2].good, 60'000);
  }
}

TEST(History, StoresOnChangeWhatHasMoved) {
  const Folder folder;
  Meter meter({.on_change = true, .deadband = 0.5, .at_least_every = 5min});
  auto writer = writer_at(folder);
  for (int second = 0; second < 600; second += 10)
    meter.poll(second, second == 100 ? 235.0 : 230.0 + (second % 20) / 100.0);
  meter.recorder.close_all(from_millis(kStart + 600'000));
  ASSERT_TRUE(writer.append(meter.recorder.take_batch()));
  auto history = history_at(folder);
  std::vector<Millis> at;
  for (const auto& sample : samples_of(history, "panel/meter/voltage"))
    at.push_back((sample.at - kStart) / 1000);
  EXPECT_EQ(at, (std::vector<Millis>{0, 100, 110, 410}));
  EXPECT_EQ(steps_of(history, "panel/meter/voltage", 600'000).front().count, 60u);
}

TEST(History, KeepsOfADeviceWhatItsConfigurationSays) {
  const Folder folder;
  for (const auto keep : {Keep::rollup, Keep::none}) {
    Meter meter;
    meter.catalog.device(
        {.connection = "panel", .client = "meter", .poll_interval = 10s, .history = keep});
    auto writer = writer_at(folder);
    two_hours(meter, writer, 2);
    EXPECT_EQ(meter.recorder.values(), 0u);
    EXPECT_EQ(meter.recorder.rollups() > 0, keep == Keep::rollup);
  }
}

TEST(History, ThinsRawValuesOutAndNotRollUps) {
  Meter meter;
  meter.recorder.thin(true);
  for (int second = 0; second < 600; second += 10) meter.poll(second, 230.0);
  EXPECT_EQ(meter.recorder.values(), 4u * 10);
  EXPECT_EQ(meter.recorder.rollups(), 4u * 9);
}

TEST(History, MakesUpTheRollUpsOfAKill) {
  const Folder folder;
  {
    Meter meter;
    auto writer = writer_at(folder);
    for (int second = 0; second < 150; second += 10)
      meter.poll(second, 230.0, 3600, 5 + second * 0.001);
    ASSERT_TRUE(writer.append(meter.recorder.take_batch()));  // and then it is killed
  }
  auto writer = writer_at(folder);
  EXPECT_EQ(make_up_rollups(writer.database(), kStart + 160'000).value(),
            4u);  // the third minute of four points
  EXPECT_EQ(make_up_rollups(writer.database(), kStart + 160'000).value(), 0u);  // once
  Meter meter;
  for (int second = 160; second < 190; second += 10)
    meter.poll(second, 240.0, 3600, 5 + second * 0.001);
  meter.recorder.close_all(from_millis(kStart + 190'000));
  std::vector<CounterLevel> levels;
  ASSERT_TRUE(writer.append(meter.recorder.take_batch(), &levels));
  auto history = history_at(folder);
  const auto minutes = steps_of(history, "panel/meter/voltage", 60'000);
  ASSERT_EQ(minutes.size(), 4u);
  EXPECT_EQ(minutes[2].count, 5u);  // 120, 130, 140 and 160, 170
  EXPECT_EQ(minutes[2].good, 40'000);
  ASSERT_EQ(levels.size(), 1u);
  EXPECT_NEAR(levels[0].value, 5.14, 1e-9);  // of the run that was killed
}

TEST(History, CountsOnOverARestart) {
  const Folder folder;
  double increase = 0;
  for (int part = 0; part < 3; ++part) {
    Meter meter;
    auto writer = writer_at(folder);
    for (int second = part * 100; second < part * 100 + 60; second += 10) {
      meter.poll(second, 230.0, 3600, 5 + second * 0.001);
      if (second % 100 == 20) {
        std::vector<CounterLevel> levels;
        ASSERT_TRUE(writer.append(meter.recorder.take_batch(), &levels));
        meter.recorder.resume(levels);
      }
    }
    meter.recorder.close_all(from_millis(kStart + (part * 100 + 60) * 1000));
    ASSERT_TRUE(writer.append(meter.recorder.take_batch()));
  }
  auto history = history_at(folder);
  for (const auto& rollup : steps_of(history, "panel/meter/energy_import", 60'000))
    increase += rollup.increase;
  EXPECT_NEAR(increase, 0.25, 0.011);
}

TEST(History, ForgetsWhatIsPastItsTime) {
  const Folder folder;
  Meter meter;
  auto writer = writer_at(folder);
  two_hours(meter, writer);
  ASSERT_TRUE(compact(writer.database(), kStart + 60 * 60'000));
  ASSERT_TRUE(compact(writer.database(), INT64_MAX));
  const Retention keep{
      .raw = 3'600'000, .minute = 86'400'000, .hour = 86'400'000, .day = 10 * 86'400'000LL};
  EXPECT_GT(expire(writer.database(), keep, kStart + 121 * 60'000).value(), 0u);
  auto history = history_at(folder);
  EXPECT_EQ(samples_of(history, "panel/meter/voltage").size(), 360u);
  EXPECT_EQ(steps_of(history, "panel/meter/voltage", 60'000).size(), 120u);
}

TEST(History, StaysWithinItsSizeAndLosesTheFinestFirst) {
  const Folder folder;
  Meter meter;
  auto writer = writer_at(folder);
  for (int day = 0; day < 4; ++day) {
    for (int second = 0; second < 7200; second += 2)
      meter.poll(day * 86'400 + second, 230.0 + (second * 7919 % 1000) / 7.0, second * 31 % 977,
                 5 + second * 0.01);
    ASSERT_TRUE(writer.append(meter.recorder.take_batch()));
    ASSERT_TRUE(compact(writer.database(), INT64_MAX));
  }
  writer.refresh_figures();
  const Retention keep{.raw = INT64_MAX / 4,
                       .minute = INT64_MAX / 4,
                       .hour = INT64_MAX / 4,
                       .day = INT64_MAX / 4,
                       .max_size = writer.figures().used * 2 / 3};
  ASSERT_TRUE(expire(writer.database(), keep, kStart));
  writer.refresh_figures();
  EXPECT_LE(writer.figures().used, keep.max_size);
  auto history = history_at(folder);
  const auto raw = samples_of(history, "panel/meter/voltage");
  ASSERT_FALSE(raw.empty());
  EXPECT_GT(raw.front().at, kStart + 86'000'000);
  EXPECT_GT(steps_of(history, "panel/meter/voltage", 60'000).size(), 400u);
}

TEST(History, BeginsANewSeriesWhereTheUnitHasChanged) {
  const Folder folder;
  Meter meter;
  auto writer = Writer::open(folder.file());
  ASSERT_TRUE(writer.has_value());
  meter.poll(0, 230.0);
  ASSERT_TRUE(writer->append(meter.recorder.take_batch()));
  EXPECT_FALSE(meter.recorder.is_outdated());
  meter.catalog.point(meter.device, "voltage", "mV");  // a reload
  EXPECT_TRUE(meter.recorder.is_outdated());

  Recorder next(meter.catalog, {}, meter.recorder.next_group());
  Readings readings;
  readings.device = meter.device;
  readings.at = from_millis(kStart + 10'000);
  readings.arrived = MonoTime(std::chrono::hours(1));
  readings.online = true;
  readings.readings = {{meter.voltage, Value{Real{230'000, 0}}}};
  next.take(readings);
  EXPECT_FALSE(next.is_outdated());
  ASSERT_TRUE(writer->append(next.take_batch()));

  auto history = History::open(folder.file());
  ASSERT_TRUE(history.has_value());
  const auto now = samples_of(*history, "panel/meter/voltage");
  ASSERT_EQ(now.size(), 1u);
  EXPECT_EQ(as_double(now[0].value), 230'000);
  const auto before = samples_of(*history, "panel/meter/voltage@V");
  ASSERT_EQ(before.size(), 1u);
  EXPECT_EQ(as_double(before[0].value), 230);
  EXPECT_EQ(history->find("panel/meter/voltage")->at(0).unit, "mV");
  const auto former = history->former("panel/meter/voltage");
  ASSERT_EQ(former->size(), 1u);
  EXPECT_EQ(former->at(0).unit, "V");
  EXPECT_EQ(samples_of(*history, "panel/meter/energy_import").size(), 1u);
}

}  // namespace
}  // namespace lightship::history
