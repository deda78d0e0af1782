// Sessions on disk: what anybody sends as his browser's name does not cost the others theirs.
#include "portal/auth/sessions.h"

#include <gtest/gtest.h>

namespace lightship::portal {
namespace {

using namespace std::chrono_literals;

const Time kNow{std::chrono::sys_days{std::chrono::January / 4 / 2026}};
const MonoTime kMono{100h};

TEST(Sessions, SurviveABrowserWhoseNameIsNoUtf8) {
  Sessions sessions({});
  const auto mine = sessions.begin("admin", "s", "192.0.2.1", "Browser/1", kNow, kMono).cookie;
  const auto odd =
      sessions.begin("anna", "s", "192.0.2.2", std::string(200, '\xff'), kNow, kMono).cookie;
  EXPECT_EQ(sessions.find(odd, kMono)->user_agent, std::string(200, '?'));

  Sessions again({});
  const auto memories = again.from_json(sessions.to_json({}, kNow, kMono), kNow, kMono);
  ASSERT_TRUE(memories) << memories.error().text;
  EXPECT_EQ(memories->left_out, 0U);
  EXPECT_NE(again.find(mine, kMono), nullptr);
  EXPECT_NE(again.find(odd, kMono), nullptr);
}

TEST(Sessions, CutTheBrowsersNameBetweenCharacters) {
  Sessions sessions({});
  const auto name = [&](const std::string& agent) {
    return sessions.begin("admin", "s", "192.0.2.1", agent, kNow, kMono).session->user_agent;
  };
  EXPECT_EQ(name(std::string(199, 'x') + "ä"), std::string(199, 'x'));
  EXPECT_EQ(name(std::string(198, 'x') + "äy"), std::string(198, 'x') + "ä");
  EXPECT_EQ(name("Zähler \xe2\x82."), "Zähler ??.");
}

TEST(Sessions, AreKnownByTheirPublicIdAsLongAsTheyLast) {
  Sessions sessions({});
  const auto first = sessions.begin("admin", "s", "192.0.2.1", "Browser/1", kNow, kMono);
  const auto id = first.session->id;
  std::vector<std::string> others;
  for (int i = 0; i < 10; ++i) {
    const auto user = fmt::format("user{}", i);
    others.push_back(sessions.begin(user, "s", "192.0.2.2", "", kNow, kMono).session->id);
  }
  ASSERT_NE(sessions.by_id(id), nullptr);
  EXPECT_EQ(sessions.by_id(id)->user, "admin");
  EXPECT_EQ(sessions.by_id(others[7])->user, "user7");
  EXPECT_EQ(sessions.by_id("none"), nullptr);

  Sessions again({});
  ASSERT_TRUE(again.from_json(sessions.to_json({}, kNow, kMono), kNow, kMono));
  ASSERT_NE(again.by_id(id), nullptr);
  EXPECT_EQ(again.by_id(id)->user, "admin");
  again.end_if([](const Session& one) { return one.user == "admin"; });
  EXPECT_EQ(again.by_id(id), nullptr);
  EXPECT_EQ(again.by_id(others[3])->user, "user3");
  again.expire(kMono + 13h);
  EXPECT_EQ(again.by_id(others[3]), nullptr);
}

TEST(Sessions, LeaveOutAnEntryThatIsDamagedAndKeepTheOthers) {
  Sessions sessions({});
  const auto mine = sessions.begin("admin", "s", "192.0.2.1", "Browser/1", kNow, kMono).cookie;
  const auto other = sessions.begin("anna", "s", "192.0.2.2", "Browser/2", kNow, kMono).cookie;
  auto text = sessions.to_json({}, kNow, kMono);
  // As an older version has written it: longer than what is read.
  text.replace(text.find("Browser/2"), 9, std::string(201, 'x'));

  Sessions again({});
  const auto memories = again.from_json(text, kNow, kMono);
  ASSERT_TRUE(memories) << memories.error().text;
  EXPECT_EQ(memories->left_out, 1U);
  EXPECT_NE(again.find(mine, kMono), nullptr);
  EXPECT_EQ(again.find(other, kMono), nullptr);
}

}  // namespace
}  // namespace lightship::portal
