// The budget of audit lines: apart by user and event, counted, and bounded.
#include "portal/api/audit_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lightship::portal {
namespace {

using namespace std::chrono_literals;
using Members = std::vector<std::pair<std::string, std::string>>;

AuditLine line(std::string user, std::string event = "login") {
  return {std::move(event), std::move(user), "192.0.2.1", {}};
}

TEST(AuditBudget, LetsSoManyThroughAndThenSaysHowManyWereLeftOut) {
  AuditBudget budget(3, 1min);
  MonoTime now{1h};
  int told = 0;
  for (int i = 0; i < 10; ++i) {
    auto one = line("anna");
    told += budget.admit(one, now);
    EXPECT_TRUE(one.more.empty());
  }
  EXPECT_EQ(told, 3);
  now += 1min;
  auto next = line("anna");
  EXPECT_TRUE(budget.admit(next, now));
  EXPECT_EQ(next.more, (Members{{"untold_before", "7"}}));
  now += 1min;
  auto after = line("anna");
  EXPECT_TRUE(budget.admit(after, now));
  EXPECT_TRUE(after.more.empty()) << "told once";
}

TEST(AuditBudget, IsOfEachUserAndEachEventApart) {
  AuditBudget budget(1, 1min);
  const MonoTime now{1h};
  const auto admits = [&](AuditLine one) { return budget.admit(one, now); };
  EXPECT_TRUE(admits(line("anna")));
  EXPECT_FALSE(admits(line("anna")));
  EXPECT_TRUE(admits(line("bert")));
  EXPECT_TRUE(admits(line("anna", "password-changed"))) << "is not hidden behind log-ins";
}

TEST(AuditBudget, StaysSmallAndKeepsWhoIsThere) {
  AuditBudget budget(1, 1h);
  MonoTime now{1h};
  for (int i = 0; i < 3000; ++i, now += 1ms) {
    auto anna = line("anna");
    budget.admit(anna, now);
    auto other = line(fmt::format("user{}", i));
    EXPECT_TRUE(budget.admit(other, now));
  }
  EXPECT_EQ(budget.size(), AuditBudget::kMost);
  auto anna = line("anna");
  EXPECT_FALSE(budget.admit(anna, now));
}

}  // namespace
}  // namespace lightship::portal
