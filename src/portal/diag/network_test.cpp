// Interfaces, routes and name servers from trees of literals.
#include "portal/diag/network.h"

#include <gtest/gtest.h>

#include "portal/diag/tree_for_test.h"

namespace lightship::portal {
namespace {

TEST(Interfaces, HaveTheirSpeedAndCountersFromSys) {
  TreeForTest all;
  all.file("/sys/class/net/eth0/speed", "1000\n")
      .file("/sys/class/net/eth0/address", "dc:a6:32:01:02:03\n")
      .file("/sys/class/net/eth0/operstate", "up\n")
      .file("/sys/class/net/eth0/statistics/rx_bytes", "5000000000\n")
      .file("/sys/class/net/eth0/statistics/tx_bytes", "7\n")
      .file("/sys/class/net/eth0/statistics/rx_errors", "2\n")
      .file("/sys/class/net/eth0/statistics/tx_errors", "1\n")
      .file("/sys/class/net/bonding_masters", "\n");
  const auto found =
      interfaces(all.tree(), {{.name = "eth0", .up = true, .addresses = {"192.0.2.1/24"}}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].mac, "dc:a6:32:01:02:03");
  EXPECT_EQ(found[0].speed_mbit, 1000);
  EXPECT_EQ(found[0].received_bytes, 5'000'000'000U);
  EXPECT_EQ(found[0].errors, 3U);
}

TEST(Interfaces, HaveTheirCountersFromProcWhereThereIsNoSys) {
  TreeForTest all;
  all.file("/proc/net/dev",
           "Inter-|   Receive   |  Transmit\n face |bytes packets|bytes\n"
           "  eth0: 100 1 2 0 0 0 0 0 200 1 3 0 0 0 0 0\n");
  const auto found = interfaces(all.tree(), {{.name = "eth0"}});
  EXPECT_EQ(found[0].received_bytes, 100U);
  EXPECT_EQ(found[0].sent_bytes, 200U);
  EXPECT_EQ(found[0].errors, 5U);
}

TEST(Interfaces, ALinkThatIsDownHasNoSpeed) {
  TreeForTest all;
  all.file("/sys/class/net/eth1/speed", "-1\n").file("/sys/class/net/eth1/operstate", "down\n");
  const auto found = interfaces(all.tree(), {});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_FALSE(found[0].up);
  EXPECT_EQ(found[0].speed_mbit, std::nullopt);
}

TEST(Interfaces, WithoutProcAndSysAreWhatTheSystemCallSays) {
  const auto found = interfaces(TreeForTest().tree(), {{.name = "lo", .up = true}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].up);
}

TEST(Routes, OfVersion4AreReadAsTheKernelKeepsThem) {
  TreeForTest all;
  all.file("/proc/net/route",
           "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
           "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
           "eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
           "eth0\t000200C0\t00000000\t0000\t0\t0\t100\t00FFFFFF\t0\t0\t0\n");
  const auto found = routes(all.tree());
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].destination, "default");
  EXPECT_EQ(found[0].via, "192.168.1.1");
  EXPECT_EQ(found[1].destination, "192.168.1.0/24");
  EXPECT_EQ(found[1].via, "");
}

TEST(Routes, OfVersion6LeaveOutOwnAddressesAndMulticast) {
  TreeForTest all;
  const std::string none(32, '0');
  const std::string net = "20010db8000000000000000000000000";
  const std::string gateway = "fe800000000000000000000000000001";
  all.file("/proc/net/ipv6_route",
           none + " 00 " + none + " 00 " + gateway + " 00000400 00000001 00000000 00000003 eth0\n" +
               net + " 40 " + none + " 00 " + none + " 00000100 00000001 00000000 00000001 eth0\n" +
               net + " 80 " + none + " 00 " + none + " 00000000 00000001 00000000 80200001 eth0\n" +
               "ff000000000000000000000000000000 08 " + none + " 00 " + none +
               " 00000100 00000001 00000000 00000001 eth0\n");
  const auto found = routes(all.tree());
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].destination, "default");
  EXPECT_EQ(found[0].via, "fe80::1");
  EXPECT_EQ(found[1].destination, "2001:db8::/64");
}

TEST(NameServers, AreThoseOfResolvConf) {
  TreeForTest all;
  all.file("/etc/resolv.conf",
           "# none\nsearch example\nnameserver 192.0.2.53\nnameserver fe80::1\n");
  EXPECT_EQ(name_servers(all.tree()), (std::vector<std::string>{"192.0.2.53", "fe80::1"}));
}

}  // namespace
}  // namespace lightship::portal
