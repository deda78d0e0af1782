// A meter of a few points, a recorder and a file, for tests of the history.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "store/history/compact.h"
#include "store/history/reader.h"
#include "store/history/recorder.h"
#include "store/history/writer.h"

namespace lightship::history {

constexpr Millis kStart = 1'767'528'000'000;  // 2026-01-04T12:00:00Z

// A folder that goes with the test.
class Folder {
 public:
  Folder() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::path(testing::TempDir()) /
            (std::string("history-") + test->test_suite_name() + "-" + test->name());
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::filesystem::path file() const { return path_ / kFileName; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct Meter {
  explicit Meter(RecorderSettings settings = {}, Duration poll = std::chrono::seconds(10))
      : device(catalog.device({.connection = "panel", .client = "meter", .poll_interval = poll})),
        voltage(catalog.point(device, "voltage", "V")),
        power(catalog.point(device, "active_power_total", "W")),
        energy(catalog.point(device, "energy_import", "kWh")),
        recorder(catalog, settings) {
    catalog.set_points(device, {voltage, power, energy});
  }

  // One poll; `at` in seconds after kStart. A voltage of nothing is a time-out.
  void poll(double at, std::optional<double> volts, double watts = 1000, double kwh = 5) {
    Readings readings;
    readings.device = device;
    readings.at = from_millis(kStart + static_cast<Millis>(at * 1000));
    readings.arrived = MonoTime(std::chrono::hours(1)) + clock_set_back +
                       std::chrono::milliseconds(static_cast<Millis>(at * 1000));
    readings.online = true;
    readings.readings = {
        {voltage, volts ? Value{Real{*volts, 1}} : Value{}, volts ? Reason::none : Reason::timeout},
        {power, Real{watts, 0}},
        {energy, Real{kwh, 2}}};
    recorder.take(readings);
  }

  std::chrono::milliseconds clock_set_back{};  // by so much the steady clock is ahead now
  Catalog catalog;
  DeviceId device;
  PointId voltage, power, energy;
  Recorder recorder;
};

inline std::vector<Sample> samples_of(History& history, const std::string& point, Millis from = 0,
                                      Millis to = INT64_MAX / 2) {
  std::vector<Sample> found;
  const auto series = history.find(point);
  EXPECT_TRUE(series && series->size() == 1) << point;
  if (!series || series->empty()) return found;
  const auto done = history.samples(series->front().id, from, to, [&](const Sample& sample) {
    found.push_back(sample);
    return true;
  });
  EXPECT_TRUE(done.has_value());
  return found;
}

inline std::vector<Rollup> steps_of(History& history, const std::string& point, Millis step,
                                    Millis from = 0, Millis to = INT64_MAX / 4) {
  std::vector<Rollup> found;
  const auto series = history.find(point);
  EXPECT_TRUE(series && series->size() == 1) << point;
  if (!series || series->empty()) return found;
  const auto done = history.steps(series->front().id, step, from, to, [&](const Rollup& rollup) {
    found.push_back(rollup);
    return true;
  });
  EXPECT_TRUE(done.has_value());
  return found;
}

}  // namespace lightship::history
