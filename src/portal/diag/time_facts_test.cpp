// Who keeps the clock, from trees of literals.
#include "portal/diag/time_facts.h"

#include <gtest/gtest.h>

#include "portal/diag/tree_for_test.h"

namespace lightship::portal {
namespace {

TEST(TimeFacts, TheZoneIsThatOfLocaltime) {
  TreeForTest all;
  all.link("/etc/localtime", "/usr/share/zoneinfo/Europe/Berlin");
  EXPECT_EQ(time_facts(all.tree(), true).zone, "Europe/Berlin");
  EXPECT_EQ(time_facts(TreeForTest().tree(), true).zone, "UTC");
}

TEST(TimeFacts, TimesyncdSaysByAFileThatItHasSetTheClock) {
  TreeForTest all;
  all.folder("/run/systemd/timesync");
  EXPECT_EQ(time_facts(all.tree(), false).synchronised, false);
  EXPECT_EQ(time_facts(all.tree(), false).source, "systemd-timesyncd");
  all.file("/run/systemd/timesync/synchronized", "");
  EXPECT_EQ(time_facts(all.tree(), std::nullopt).synchronised, true);
}

TEST(TimeFacts, ChronyNeedNotTellTheKernel) {
  TreeForTest all;
  all.file("/run/chrony/chronyd.pid", "1\n");
  EXPECT_EQ(time_facts(all.tree(), false).synchronised, std::nullopt);
  EXPECT_EQ(time_facts(all.tree(), true).synchronised, true);
  EXPECT_EQ(time_facts(all.tree(), true).source, "chrony");
}

TEST(TimeFacts, WithoutAnybodyTheKernelIsBelieved) {
  EXPECT_EQ(time_facts(TreeForTest().tree(), false).synchronised, false);
  EXPECT_EQ(time_facts(TreeForTest().tree(), std::nullopt).synchronised, std::nullopt);
  EXPECT_EQ(time_facts(TreeForTest().tree(), true).source, "");
}

}  // namespace
}  // namespace lightship::portal
