// Figures from a /proc and a /sys of literals.
#include "portal/diag/figures.h"

#include <gtest/gtest.h>

#include "portal/diag/tree_for_test.h"

namespace lightship::portal {
namespace {

constexpr const char* kStat =
    "cpu  1000 50 300 8000 400 30 20 10 500 0\n"
    "cpu0 500 25 150 4000 200 15 10 5 250 0\n"
    "cpu1 500 25 150 4000 200 15 10 5 250 0\n"
    "intr 12345\n";

TEST(Figures, CountBusyTicksWithoutIdleAndWaiting) {
  TreeForTest all;
  all.file("/proc/stat", kStat);
  const auto figures = system_figures(all.tree());
  EXPECT_EQ(figures.all_ticks, 9810U);
  EXPECT_EQ(figures.busy_ticks, 1410U);
  EXPECT_EQ(figures.cores, 2U);
}

TEST(Figures, APartOfTheTimeIsTheDifferenceOfTwoLooks) {
  EXPECT_DOUBLE_EQ(
      busy_percent({.busy_ticks = 100, .all_ticks = 1000}, {.busy_ticks = 150, .all_ticks = 1200}),
      25);
  EXPECT_EQ(busy_percent({.all_ticks = 1000}, {.all_ticks = 1000}), 0);
  EXPECT_EQ(busy_percent({.busy_ticks = 9, .all_ticks = 10}, {.busy_ticks = 1, .all_ticks = 20}),
            0);
}

TEST(Figures, UsedMemoryIsWhatIsNotAvailable) {
  TreeForTest all;
  all.file("/proc/meminfo",
           "MemTotal:  1000 kB\nMemFree:  100 kB\nMemAvailable:  600 kB\n"
           "SwapTotal:  500 kB\nSwapFree:  490 kB\n");
  const auto figures = system_figures(all.tree());
  EXPECT_EQ(figures.memory, 1'024'000U);
  EXPECT_EQ(figures.memory_used, 409'600U);
  EXPECT_EQ(figures.swap_used, 10'240U);
}

TEST(Figures, WithoutProcEverythingIsNothing) {
  const TreeForTest all;
  const auto figures = system_figures(all.tree());
  EXPECT_EQ(figures.memory, 0U);
  EXPECT_EQ(figures.cores, 0U);
  EXPECT_EQ(process_figures(all.tree(), 100, 100).resident, 0U);
  EXPECT_TRUE(temperatures(all.tree()).empty());
}

TEST(Figures, OfAProcessWhoseNameHasBracketsAndBlanks) {
  TreeForTest all;
  all.file("/proc/self/stat",
           "42 (a) b (c) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 7 0 30000 1000 200\n");
  all.file("/proc/self/status", "VmRSS:\t  8000 kB\nRssAnon:\t  3000 kB\nThreads:\t7\n");
  const auto figures = process_figures(all.tree(), 1000, 100);
  EXPECT_EQ(figures.ticks, 300U);
  EXPECT_DOUBLE_EQ(figures.uptime_s, 700);
  EXPECT_EQ(figures.resident, 8'192'000U);
  EXPECT_EQ(figures.threads, 7U);
}

TEST(Temperatures, OfAZoneWithItsCriticalTrip) {
  TreeForTest all;
  all.file("/sys/class/thermal/thermal_zone0/type", "cpu-thermal\n")
      .file("/sys/class/thermal/thermal_zone0/temp", "58812\n")
      .file("/sys/class/thermal/thermal_zone0/trip_point_0_type", "passive\n")
      .file("/sys/class/thermal/thermal_zone0/trip_point_0_temp", "70000\n")
      .file("/sys/class/thermal/thermal_zone0/trip_point_1_type", "critical\n")
      .file("/sys/class/thermal/thermal_zone0/trip_point_1_temp", "90000\n")
      // The same sensor, once more.
      .file("/sys/class/hwmon/hwmon0/name", "cpu_thermal\n")
      .file("/sys/class/hwmon/hwmon0/temp1_input", "58812\n");
  const auto found = temperatures(all.tree());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].name, "cpu-thermal");
  EXPECT_DOUBLE_EQ(found[0].celsius, 58.812);
  EXPECT_EQ(found[0].limit_c, 90);
}

TEST(Temperatures, OfAChipWithLabels) {
  TreeForTest all;
  all.file("/sys/class/hwmon/hwmon2/name", "coretemp\n")
      .file("/sys/class/hwmon/hwmon2/temp1_input", "41000\n")
      .file("/sys/class/hwmon/hwmon2/temp1_label", "Package id 0\n")
      .file("/sys/class/hwmon/hwmon2/temp1_crit", "100000\n")
      .file("/sys/class/hwmon/hwmon2/temp2_input", "-274000\n");
  const auto found = temperatures(all.tree());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].name, "coretemp Package id 0");
  EXPECT_EQ(found[0].limit_c, 100);
}

TEST(Temperatures, TheMainOneIsTheProcessors) {
  EXPECT_EQ(main_temperature({{"nvme", 70, {}}, {"cpu-thermal", 50, {}}}), 50);
  EXPECT_EQ(main_temperature({{"nvme", 40, {}}, {"acpitz", 45, {}}}), 45);
  EXPECT_EQ(main_temperature({}), std::nullopt);
}

}  // namespace
}  // namespace lightship::portal
