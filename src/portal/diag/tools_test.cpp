// Who may be asked, and how many at once.
#include "portal/diag/tools.h"

#include <gtest/gtest.h>

#include "base/manual_clock.h"

namespace lightship::portal {
namespace {

using namespace std::chrono_literals;

TEST(WrongHost, NamesAndAddressesAreFine) {
  for (const char* host :
       {"a", "gateway.example", "gateway.example.", "my_host", "xn--bcher-kva.ch", "192.0.2.1",
        "2001:db8::1", "fe80::1%eth0", "::1", "127.1"})
    EXPECT_EQ(wrong_host(host), std::nullopt) << host;
}

TEST(WrongHost, WhatAShellOrAnOptionWouldBeIsNone) {
  for (const std::string host : {"",
                                 "; rm -rf /",
                                 "-f",
                                 "--help",
                                 "$(reboot)",
                                 "`id`",
                                 "a b",
                                 "a;b",
                                 "a|b",
                                 "a&b",
                                 "a\nb",
                                 "host/24",
                                 "user@host",
                                 "http://host",
                                 "a..b",
                                 ".a",
                                 "-a.b",
                                 "a-.b",
                                 "%eth0",
                                 "fe80::1%eth0;id",
                                 "fe80::1%$(id)",
                                 "\xc3\xa9.example"})
    EXPECT_NE(wrong_host(host), std::nullopt) << host;
}

TEST(WrongHost, ANulOrAnEndlessNameIsNone) {
  EXPECT_NE(wrong_host(std::string_view("127.0.0.1\0;id", 13)), std::nullopt);
  EXPECT_NE(wrong_host(std::string(300, 'a')), std::nullopt);
  EXPECT_NE(wrong_host(std::string(64, 'a') + ".example"), std::nullopt);
}

TEST(WrongHost, GroupsAndEverybodyAreNotAsked) {
  for (const char* host : {"224.0.0.1", "ff02::1", "255.255.255.255", "0.0.0.0", "::"})
    EXPECT_NE(wrong_host(host), std::nullopt) << host;
}

TEST(ToolBench, HasFourPlacesAndGivesThemBack) {
  asio::io_context loop;
  ManualClock clock(loop);
  ToolBench bench(clock);
  ToolBench::Busy busy;
  std::vector<ToolBench::Place> places;
  for (int i = 0; i < 4; ++i) places.push_back(bench.take(busy));
  EXPECT_EQ(bench.take(busy), nullptr);
  EXPECT_NE(busy.why.find("4 tools"), std::string::npos);
  places.pop_back();
  EXPECT_NE(bench.take(busy), nullptr);
}

TEST(ToolBench, BeginsThirtyAtOnceAndThenOneASecond) {
  asio::io_context loop;
  ManualClock clock(loop);
  ToolBench bench(clock);
  ToolBench::Busy busy;
  for (int i = 0; i < 30; ++i) EXPECT_NE(bench.take(busy), nullptr) << i;
  EXPECT_EQ(bench.take(busy), nullptr);
  clock.advance(1s);
  EXPECT_NE(bench.take(busy), nullptr);
}

}  // namespace
}  // namespace lightship::portal
