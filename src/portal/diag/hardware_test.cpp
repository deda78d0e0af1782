// Boards, processors, storage and GPIO from trees of literals.
#include "portal/diag/hardware.h"

#include <gtest/gtest.h>

#include "portal/diag/storage.h"
#include "portal/diag/tree_for_test.h"

namespace lightship::portal {
namespace {

TEST(Board, IsOfTheDeviceTreeWhereThereIsOne) {
  TreeForTest all;
  all.file("/proc/device-tree/model", std::string_view("Raspberry Pi 4 Model B Rev 1.5\0", 31));
  EXPECT_EQ(board(all.tree()), "Raspberry Pi 4 Model B Rev 1.5");
}

TEST(Board, IsOfDmiWithoutWhatMakersLeaveEmpty) {
  TreeForTest all;
  all.file("/sys/class/dmi/id/sys_vendor", "ACME\n")
      .file("/sys/class/dmi/id/product_name", "ACME Box 3\n")
      .file("/sys/class/dmi/id/product_version", "To be filled by O.E.M.\n");
  EXPECT_EQ(board(all.tree()), "ACME Box 3");
  EXPECT_EQ(board(TreeForTest().tree()), "");
}

TEST(Cpu, OfAnArmBoardIsNamedByItsPart) {
  TreeForTest all;
  all.file("/proc/cpuinfo",
           "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n\n"
           "processor\t: 1\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n")
      .file("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "1500000\n");
  const auto found = cpu(all.tree(), "aarch64");
  EXPECT_EQ(found.model, "Cortex-A72");
  EXPECT_EQ(found.cores, 2U);
  EXPECT_EQ(found.frequency_mhz, 1500);
}

TEST(Cpu, OfAPcSaysItself) {
  TreeForTest all;
  all.file("/proc/cpuinfo", "processor\t: 0\nmodel name\t: Intel(R) N100\ncpu MHz\t\t: 806.5\n");
  const auto found = cpu(all.tree(), "x86_64");
  EXPECT_EQ(found.model, "Intel(R) N100");
  EXPECT_EQ(found.frequency_mhz, 806.5);
}

TEST(Cpu, ThatNothingIsKnownOfIsItsArchitecture) {
  EXPECT_EQ(cpu(TreeForTest().tree(), "riscv64").model, "riscv64");
}

TEST(Os, IsItsPrettyName) {
  TreeForTest all;
  all.file("/etc/os-release", "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
  EXPECT_EQ(os_name(all.tree()), "Debian GNU/Linux 12 (bookworm)");
  EXPECT_EQ(os_name(TreeForTest().tree()), "Linux");
}

TEST(Gpio, IsReadOfSysWhereTheChipsMayNotBeAsked) {
  TreeForTest all;
  all.file("/sys/class/gpio/gpiochip512/label", "pinctrl-bcm2711\n")
      .file("/sys/class/gpio/gpiochip512/ngpio", "58\n")
      .file("/sys/class/gpio/export", "");
  const auto chips = gpio_chips(all.tree());
  ASSERT_EQ(chips.size(), 1U);
  EXPECT_EQ(chips[0].label, "pinctrl-bcm2711");
  EXPECT_EQ(chips[0].lines, 58U);
}

std::optional<Space> always(const std::filesystem::path&) { return Space{1000, 400}; }

TEST(Storage, SaysWhatOfOursLiesOnWhichFileSystem) {
  TreeForTest all;
  all.file("/proc/self/mounts",
           "/dev/mmcblk0p2 / ext4 rw 0 0\nproc /proc proc rw 0 0\n"
           "/dev/sda1 /var/lib/light\\040ship ext4 rw 0 0\n/dev/sda2 /mnt/backup vfat rw 0 0\n"
           "/dev/loop3 /snap/core squashfs ro 0 0\nserver:/a /mnt/net nfs rw 0 0\n");
  const auto found =
      storage(all.tree(),
              {{"history", "/var/lib/light ship/data"}, {"program", "/usr/bin/x"}, {"system", "/"}},
              always);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].path, "/");
  EXPECT_EQ(found[0].holds, (std::vector<std::string>{"program", "system"}));
  EXPECT_EQ(found[1].path, "/var/lib/light ship");
  EXPECT_EQ(found[1].holds, std::vector<std::string>{"history"});
  EXPECT_EQ(found[2].path, "/mnt/backup");
  EXPECT_EQ(found[2].free_bytes, 400U);
}

TEST(Storage, APathThatOnlyBeginsLikeAMountIsNotOnIt) {
  TreeForTest all;
  all.file("/proc/self/mounts", "/dev/a / ext4 rw 0 0\n/dev/b /var ext4 rw 0 0\n");
  const auto found = storage(all.tree(), {{"history", "/variable/data"}}, always);
  EXPECT_EQ(found[0].path, "/");
}

TEST(Storage, WithoutProcShowsWhatIsOurs) {
  const auto found = storage(TreeForTest().tree(), {{"history", "/data"}}, always);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].path, "/data");
  EXPECT_EQ(found[0].bytes, 1000U);
}

TEST(Wear, OfAnEmmcIsTheWorseOfItsTwoKindsOfCells) {
  TreeForTest all;
  all.file("/sys/devices/emmc/block/mmcblk0/device/life_time", "0x01 0x03\n")
      .file("/sys/devices/emmc/block/mmcblk0/mmcblk0p2/partition", "2\n")
      .link("/sys/class/block/mmcblk0p2", "../../devices/emmc/block/mmcblk0/mmcblk0p2")
      .link("/sys/class/block/mmcblk0", "../../devices/emmc/block/mmcblk0");
  EXPECT_EQ(wear_percent(all.tree(), "/dev/mmcblk0p2"), 30);
  EXPECT_EQ(wear_percent(all.tree(), "/dev/sda1"), std::nullopt);
  EXPECT_EQ(wear_percent(all.tree(), "overlay"), std::nullopt);
}

TEST(Wear, ThatIsNotToldIsNotZero) {
  TreeForTest all;
  all.file("/sys/class/block/mmcblk0/device/life_time", "0x00 0x00\n");
  EXPECT_EQ(wear_percent(all.tree(), "/dev/mmcblk0"), std::nullopt);
}

}  // namespace
}  // namespace lightship::portal
