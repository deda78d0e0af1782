// GET /api/alerts, asked page by page while the alerts change.
#include "portal/api/alerts.h"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include "portal/auth/accounts.h"
#include "portal/house.h"
#include "portal/live/hub.h"
#include "portal/testing/shop.h"
#include "store/alert_book.h"

namespace lightship::portal {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

struct Raised : Shop {
  Raised() {
    add_alerts(router, house);
    for (int i = 1; i <= 6; ++i) alerts.raise({.rule = rule(i), .text = "It is so."});
    look();
  }
  static std::string rule(int i) { return fmt::format("rule-{}", i); }
  void look() {
    AlertBook::of(context)->look();
    clock.advance(1s);  // what was told is old
  }
  void over(int i) {
    alerts.clear(rule(i));
    look();
  }
  struct Page {
    std::vector<std::string> rules;
    std::string next;
  };
  Page page(std::string query) {
    const auto answer = ask(router, "/api/alerts", "limit=2&" + query);
    EXPECT_EQ(answer.status, 200) << answer.text();
    const auto told = json::parse(answer.text()).as_object();
    Page page;
    for (const auto& one : told.at("items").as_array())
      page.rules.emplace_back(one.at("rule").as_string());
    if (told.at("next").is_string()) page.next = std::string(told.at("next").as_string());
    return page;
  }

  Accounts accounts{clock, book, {.data_dir = {}}};
  LiveHub live{loop.get_executor(), clock};
  House house{loop.get_executor(), clock, book, field, worker, accounts, live, {}, {}};
};

using Rules = std::vector<std::string>;

// Which of them has which number is the board's affair.
TEST(AlertsApi, APageGoesOnWhereTheOneBeforeEndedAlsoWhenThatAlertIsOver) {
  Raised all;
  const auto first = all.page("");
  ASSERT_EQ(first.rules.size(), 2u);
  ASSERT_FALSE(first.next.empty());
  const auto second = all.page("after=" + first.next);
  ASSERT_EQ(second.rules.size(), 2u);
  all.alerts.clear(first.rules[1]);  // the one that the cursor names
  all.look();
  EXPECT_EQ(all.page("after=" + first.next).rules, second.rules);
  EXPECT_EQ(all.page("after=" + second.next).rules.size(), 2u);
}

TEST(AlertsApi, ThoseThatAreOverGoOnInTheirOrderAndAnUnknownCursorIsToldSo) {
  Raised all;
  for (const int i : {2, 5, 1, 4}) all.over(i);
  const auto first = all.page("state=cleared");
  EXPECT_EQ(first.rules, (Rules{"rule-4", "rule-1"}));
  EXPECT_EQ(all.page("state=cleared&after=" + first.next).rules, (Rules{"rule-5", "rule-2"}));
  const auto gone = all.ask(all.router, "/api/alerts", "state=cleared&after=4711");
  EXPECT_EQ(gone.status, 400);
  EXPECT_NE(gone.text().find("Begin again without after"), std::string::npos) << gone.text();
}

}  // namespace
}  // namespace lightship::portal
