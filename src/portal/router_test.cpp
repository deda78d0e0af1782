// The table of routes: who is let through to what.
#include "portal/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "portal/testing/answered.h"

namespace lightship::portal {
namespace {

struct OneGate : Gate {
  std::optional<Caller> caller;
  std::optional<Caller> who(const Request&) override { return caller; }
};

Task<Response> told(const Call& call) {
  std::string text = call.caller.user;
  for (const auto& [name, value] : call.parts) text += " " + name + "=" + value;
  co_return json_answer(std::move(text));
}
Task<Response> page(const Request&, const std::optional<Caller>& caller) {
  co_return json_answer(caller ? "page" : "login page");
}

struct RouterTest : testing::Test {
  OneGate gate;
  Router router{gate, page};
  RouterTest() {
    router.add({"POST", "/api/login", {}, told});
    router.add({"GET", "/api/session", Role::viewer, told, true});
    router.add({"GET", "/api/device/{id}/registers", Role::viewer, told});
    router.add({"POST", "/api/device/{id}/write", Role::operate, told});
    router.add({"GET", "/healthz", {}, told});
    gate.caller = Caller{"anna", Role::operate, "s1", "", "secret", false};
  }
  Response ask(std::string method, std::string path, std::string csrf = {}) {
    Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    if (!csrf.empty()) request.headers.emplace_back("x-csrf-token", csrf);
    return answered(router.answer(request));
  }
};

TEST_F(RouterTest, TellsNobodyWithoutASessionWhetherAPathExists) {
  gate.caller.reset();
  EXPECT_EQ(ask("GET", "/api/session").status, 401);
  EXPECT_EQ(ask("GET", "/api/nothing").status, 401);
  EXPECT_EQ(ask("GET", "/api").status, 401);
  EXPECT_EQ(ask("DELETE", "/api/session").status, 401);
  EXPECT_EQ(ask("GET", "/api/login").status, 401);
  EXPECT_EQ(ask("GET", "/api/session").text(), ask("GET", "/api/nothing").text());
}

TEST_F(RouterTest, LetsEverybodyThroughToWhatIsOpen) {
  gate.caller.reset();
  EXPECT_EQ(ask("POST", "/api/login").status, 200);
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
  EXPECT_EQ(ask("GET", "/anything").text(), "login page");
}

TEST_F(RouterTest, DecodesAPartAndKeepsAnEncodedSlashInIt) {
  EXPECT_EQ(ask("GET", "/api/device/main%2Fmeter-1/registers").text(), "anna id=main/meter-1");
  EXPECT_EQ(ask("GET", "/api/device//registers").status, 404);
  EXPECT_EQ(ask("GET", "/api/device/a%00b/registers").status, 404);
  EXPECT_EQ(ask("GET", "/api/device/a%zz/registers").status, 404);
  EXPECT_EQ(ask("GET", "/api/device/a/b/registers").status, 404);
}

TEST_F(RouterTest, WantsTheSessionsOwnTokenForAChange) {
  EXPECT_EQ(ask("POST", "/api/device/a/write").status, 403);
  EXPECT_EQ(ask("POST", "/api/device/a/write", "wrong!").status, 403);
  EXPECT_EQ(ask("POST", "/api/device/a/write", "secret").status, 200);
}

TEST_F(RouterTest, WantsNoneWhereATokenWasShown) {
  gate.caller->session.clear();
  gate.caller->token = "t1";
  gate.caller->csrf.clear();
  EXPECT_EQ(ask("POST", "/api/device/a/write").status, 200);
}

TEST_F(RouterTest, RefusesARoleThatIsTooSmall) {
  gate.caller->role = Role::viewer;
  const auto refused = ask("POST", "/api/device/a/write", "secret");
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.body, testing::HasSubstr("This needs the role operator; anna is viewer."));
}

TEST_F(RouterTest, LetsNothingElseThroughWhileThePasswordMustBeChanged) {
  gate.caller->must_change_password = true;
  EXPECT_EQ(ask("GET", "/api/session").status, 200);
  EXPECT_EQ(ask("GET", "/api/device/a/registers").status, 403);
  EXPECT_THAT(ask("GET", "/api/nothing").body, testing::HasSubstr("password-change-required"));
}

TEST_F(RouterTest, SaysWhichMethodsThereAre) {
  const auto refused = ask("DELETE", "/api/session", "secret");
  EXPECT_EQ(refused.status, 405);
  EXPECT_THAT(refused.headers, testing::Contains(testing::Pair("Allow", "GET")));
}

TEST(CallBody, SaysWhatIsWrong) {
  Request request;
  const Call call{request, {}, {}};
  EXPECT_TRUE(call.body()->empty());
  request.body = "[1]";
  EXPECT_THAT(call.body().error().text, testing::HasSubstr("not an object"));
  request.body = "{";
  EXPECT_THAT(call.body().error().text, testing::HasSubstr("no JSON"));
  request.body = std::string(1000, '[');
  EXPECT_FALSE(call.body());
}

TEST(Parameters, AreDecoded) {
  Request request;
  request.query = "a=1&point=main%2Fmeter%201&empty=&flag&plus=a+b&bad=%g0";
  EXPECT_EQ(request.parameter("point"), "main/meter 1");
  EXPECT_EQ(request.parameter("empty"), "");
  EXPECT_EQ(request.parameter("flag"), "");
  EXPECT_EQ(request.parameter("plus"), "a b");
  EXPECT_EQ(request.parameter("bad"), std::nullopt);
  EXPECT_EQ(request.parameter("none"), std::nullopt);
}

TEST(Cookies, AreFoundByTheirWholeName) {
  Request request;
  request.headers = {{"cookie", "a=1; lightship=abc;lightship2=x"}, {"cookie", "other=2"}};
  EXPECT_EQ(request.cookie("lightship"), "abc");
  EXPECT_EQ(request.cookie("other"), "2");
  EXPECT_EQ(request.cookie("light"), std::nullopt);
}

}  // namespace
}  // namespace lightship::portal
