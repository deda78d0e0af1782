// Wrong passwords: who waits, how long, and who does not.
#include "portal/auth/lockout.h"

#include <gtest/gtest.h>

namespace lightship::portal {
namespace {

using namespace std::chrono_literals;

struct LockoutTest : testing::Test {
  Lockout lockout;
  MonoTime now{1h};

  Lockout::Try from(std::string network, std::string account = "admin", bool known = false) {
    const bool exists = account == "admin";
    return {std::move(account), network, network, known, exists};
  }
  void wrong(const Lockout::Try& attempt, int times = 1) {
    for (int i = 0; i < times; ++i) lockout.begin(attempt, now);
  }
  Duration wait(const Lockout::Try& attempt) {
    return lockout.wait_for(attempt, now).value_or(Duration{});
  }
};

TEST_F(LockoutTest, LetsFourWrongOnesPassAndLocksAtTheFifth) {
  wrong(from("192.0.2.1"), 4);
  EXPECT_EQ(wait(from("192.0.2.1")), 0s);
  wrong(from("192.0.2.1"));
  EXPECT_EQ(wait(from("192.0.2.1")), 30s);
}

TEST_F(LockoutTest, GrowsWithEachFurtherWrongOneUpToAQuarterOfAnHour) {
  wrong(from("192.0.2.1"), 5);
  for (const auto expected : {1min, 2min, 4min, 8min, 15min, 15min}) {
    now += wait(from("192.0.2.1"));
    ASSERT_EQ(wait(from("192.0.2.1")), 0s);
    wrong(from("192.0.2.1"));
    EXPECT_EQ(wait(from("192.0.2.1")), expected);
  }
}

TEST_F(LockoutTest, LetsTheOwnerInFromAnotherAddress) {
  wrong(from("192.0.2.1"), 12);
  EXPECT_EQ(wait(from("192.0.2.2")), 0s);
}

TEST_F(LockoutTest, LocksAnAddressThatTriesOnePasswordOnManyAccounts) {
  for (const auto* account : {"a", "b", "c", "d", "e"}) wrong(from("192.0.2.1", account));
  EXPECT_EQ(wait(from("192.0.2.1", "f")), 30s);
  EXPECT_EQ(wait(from("192.0.2.2", "f")), 0s);
}

TEST_F(LockoutTest, SlowsDownManyAddressesThatGuessAtOneAccount) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(wait(from(fmt::format("net {}", i))), 0s);
    wrong(from(fmt::format("net {}", i)));
  }
  EXPECT_EQ(wait(from("another")), 30s);
  EXPECT_EQ(wait(from("another", "anna")), 0s) << "another account is not slowed down";
  now += 30s;
  EXPECT_EQ(wait(from("another")), 0s) << "one gets through at intervals";
  wrong(from("another"));
  EXPECT_EQ(wait(from("one more")), 30s);
}

TEST_F(LockoutTest, DoesNotSlowDownAnAddressThatIsKnown) {
  for (int i = 0; i < 40; ++i) wrong(from(fmt::format("net {}", i)));
  for (const auto* account : {"a", "b", "c", "d", "e"}) wrong(from("192.0.2.1", account));
  EXPECT_EQ(wait(from("192.0.2.1", "admin", true)), 0s);
  wrong(from("192.0.2.1", "admin", true), 5);
  EXPECT_EQ(wait(from("192.0.2.1", "admin", true)), 30s) << "its own wrong ones count";
}

TEST_F(LockoutTest, DoesNotForgetGuessesAtAUserForNamesThatAreInvented) {
  for (int i = 0; i < 20; ++i) wrong(from(fmt::format("net {}", i)));
  ASSERT_EQ(wait(from("another")), 30s);
  for (int i = 0; i < 5000; ++i)
    wrong(from(fmt::format("net {}", 100 + i), fmt::format("invented{}", i)));
  EXPECT_EQ(wait(from("another")), 30s);
}

TEST_F(LockoutTest, SlowsDownGuessesAtANameThatIsInventedLikeThoseAtAUser) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(wait(from(fmt::format("net {}", i), "invented")), 0s);
    wrong(from(fmt::format("net {}", i), "invented"));
  }
  EXPECT_EQ(wait(from("another", "invented")), 30s) << "who exists is not told by that";
  EXPECT_EQ(wait(from("another", "invented2")), 0s);
}

TEST_F(LockoutTest, DoesNotLetANeighbourInAKnownNetworkKeepTheOwnerOut) {
  const Lockout::Try owner{"admin", "2001:db8::/64", "2001:db8::1", true, true};
  const Lockout::Try neighbour{"admin", "2001:db8::/64", "2001:db8::2", true, true};
  wrong(neighbour, 12);
  EXPECT_EQ(wait(neighbour), 30s) << "slower, but never closed";
  EXPECT_EQ(wait(owner), 0s);
  // Behind a router that translates addresses both have the same one.
  wrong(from("192.0.2.1", "admin", true), 12);
  EXPECT_EQ(wait(from("192.0.2.1", "admin", true)), 30s);
  now += 30s;
  EXPECT_EQ(wait(from("192.0.2.1", "admin", true)), 0s);
}

TEST_F(LockoutTest, GivesAKnownNetworkOfManyAddressesNoMoreGuessesThanOthers) {
  const auto guess = [](int i) {
    return Lockout::Try{"admin", "2001:db8::/64", fmt::format("2001:db8::{}", i), true, true};
  };
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(wait(guess(i)), 0s);
    wrong(guess(i));
  }
  EXPECT_EQ(wait(guess(21)), 30s);
  EXPECT_EQ(wait(from("192.0.2.1")), 0s) << "strangers and neighbours are counted apart";
  lockout.forget("admin");
  EXPECT_EQ(wait(guess(21)), 0s);
}

TEST_F(LockoutTest, CountsABrowserThatIsKnownApartFromAllOthersAtItsAddress) {
  auto owner = from("192.0.2.1", "admin", true);
  owner.device = "a1";
  wrong(from("192.0.2.1", "admin", true), 40);
  for (const auto* account : {"a", "b", "c", "d", "e"}) wrong(from("192.0.2.1", account));
  for (int i = 0; i < 40; ++i) wrong(from(fmt::format("net {}", i)));
  EXPECT_EQ(wait(owner), 0s);
  auto elsewhere = from("198.51.100.7");
  elsewhere.device = "a1";
  EXPECT_EQ(wait(elsewhere), 0s) << "wherever it is carried";

  wrong(owner, 12);
  EXPECT_EQ(wait(owner), 30s) << "its own wrong ones count, and never longer";
  EXPECT_EQ(wait(elsewhere), 30s) << "wherever they come from";
  lockout.forget("admin");
  EXPECT_EQ(wait(owner), 0s);
}

TEST_F(LockoutTest, GivesABrowserThatIsKnownNoMoreGuessesThanOthers) {
  int made = 0;
  for (int second = 0; second < 3600; ++second, now += 1s) {
    auto attempt = from(fmt::format("net {}", second));
    attempt.device = "a1";
    if (wait(attempt) > 0s) continue;
    wrong(attempt);
    ++made;
  }
  EXPECT_LE(made, 5 + 120);
}

TEST_F(LockoutTest, CountsATryFromItsBeginningSoThatManyAtOnceAreNotOne) {
  wrong(from("192.0.2.1"), 5);  // none has ended
  EXPECT_EQ(wait(from("192.0.2.1")), 30s);
}

TEST_F(LockoutTest, ForgetsWhatWasWrongWhenItWasRight) {
  wrong(from("192.0.2.1"), 4);
  lockout.begin(from("192.0.2.1"), now);
  lockout.was_right(from("192.0.2.1"), now);
  EXPECT_EQ(wait(from("192.0.2.1")), 0s);
  wrong(from("192.0.2.1"), 4);
  EXPECT_GT(wait(from("192.0.2.1")), 0s) << "eight of that address were wrong";
  EXPECT_EQ(wait(from("192.0.2.1", "admin", true)), 0s) << "four of the account";
}

TEST_F(LockoutTest, DoesNotLetALogInOfOnesOwnFreeTheGuessesAtOthers) {
  wrong(from("192.0.2.1", "admin"), 4);
  lockout.begin(from("192.0.2.1", "viewer"), now);
  lockout.was_right(from("192.0.2.1", "viewer"), now);
  wrong(from("192.0.2.1", "admin"));
  EXPECT_EQ(wait(from("192.0.2.1", "admin")), 30s);
}

TEST_F(LockoutTest, ForgetsAfterAnHourOfQuiet) {
  wrong(from("192.0.2.1"), 5);
  now += 30s + 1h + 1s;
  wrong(from("192.0.2.1"), 4);
  EXPECT_EQ(wait(from("192.0.2.1")), 0s);
}

TEST_F(LockoutTest, ForgetsAnAccountWhosePasswordIsAnother) {
  wrong(from("192.0.2.1", "admin", true), 5);
  wrong(from("192.0.2.1", "admin2", true), 5);
  lockout.forget("admin");
  EXPECT_EQ(wait(from("192.0.2.1", "admin", true)), 0s);
  EXPECT_EQ(wait(from("192.0.2.1", "admin2", true)), 30s);
}

TEST_F(LockoutTest, StaysSmallHoweverManyAddressesAndNamesTry) {
  for (int i = 0; i < 100'000; ++i) wrong(from(fmt::format("net {}", i), fmt::format("user{}", i)));
  EXPECT_LE(lockout.size(), Lockout::kMostTallies + Lockout::kMostInvented);
  for (int i = 0; i < 100'000; ++i)
    lockout.begin({fmt::format("user{}", i), "192.0.2.1", "192.0.2.1", false, true}, now);
  EXPECT_LE(lockout.size(), Lockout::kMostTallies + Lockout::kMostInvented + Lockout::kMostBudgets);
}

TEST_F(LockoutTest, TellsTheLongestWaitOfEachAccount) {
  wrong(from("192.0.2.1"), 5);
  wrong(from("192.0.2.2"), 6);
  const auto waits = lockout.waits(now);
  ASSERT_EQ(waits.size(), 1U);
  EXPECT_EQ(waits.at("admin"), 60s);
  EXPECT_TRUE(lockout.waits(now + 61s).empty());
}

TEST(NetworkOf, IsTheAddressOfIPv4AndTheSlash64OfIPv6) {
  const auto of = [](const char* text) { return network_of(asio::ip::make_address(text)); };
  EXPECT_EQ(of("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(of("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(of("2001:db8:1:2:ffff::1"), of("2001:db8:1:2::9"));
  EXPECT_NE(of("2001:db8:1:3::1"), of("2001:db8:1:2::1"));
}

}  // namespace
}  // namespace lightship::portal
