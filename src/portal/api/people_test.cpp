// Log-in, sessions, users, tokens through the table of routes, with real accounts behind it: who
// gets what answer, and what the audit says of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/json.hpp>

#include "base/manual_clock.h"
#include "portal/api/session.h"
#include "portal/api/tokens.h"
#include "portal/api/users.h"
#include "portal/auth/accounts.h"
#include "portal/live/hub.h"
#include "portal/router.h"

namespace lightship::portal {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Keeps its lines.
struct HeardAudit final : Audit {
  using Audit::Audit;
  Task<Result<void>> read_back(Time, std::function<void(std::string_view)>) override {
    co_return Result<void>{};
  }
  Task<Result<void>> keep(std::string line, Durability) override {
    lines.push_back(boost::json::parse(line).as_object());
    co_return Result<void>{};
  }
  std::vector<boost::json::object> lines;
};

Task<Response> nowhere(const Request&, const std::optional<Caller>&) {
  co_return problem(404, "Not Found", "nowhere");
}

struct PeopleTest : testing::Test {
  PeopleTest() {
    context.audit = &audit;
    add_session(router, house);
    add_sessions(router, house);
    add_users(router, house);
    add_tokens(router, house);
    bool open = false;
    asio::co_spawn(loop, accounts.open(), [&](std::exception_ptr) { open = true; });
    run_until([&] { return open; });
  }
  ~PeopleTest() override { accounts.stop(); }
  void run_until(const std::function<bool()>& done) {
    loop.restart();
    const auto work = asio::make_work_guard(loop);
    while (!done()) loop.run_one();
  }

  // A browser: its cookie and its CSRF token.
  struct Browser {
    std::string cookie, csrf;
    std::string address = "192.0.2.1";
    std::vector<std::pair<std::string, std::string>> headers = {};
  };
  Response ask(const Browser& browser, std::string method, std::string path,
               std::string body = {}) {
    Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.peer = asio::ip::make_address(browser.address);
    request.headers = browser.headers;
    request.headers.emplace_back("host", "gateway:8080");
    if (!body.empty()) request.headers.emplace_back("content-type", "application/json");
    if (!browser.cookie.empty()) request.headers.emplace_back("cookie", browser.cookie);
    if (!browser.csrf.empty()) request.headers.emplace_back("x-csrf-token", browser.csrf);
    request.body = std::move(body);
    std::optional<Response> answer;
    asio::co_spawn(loop, router.answer(request), [&](std::exception_ptr why, Response response) {
      if (why) std::rethrow_exception(why);
      answer = std::move(response);
    });
    run_until([&] { return answer.has_value(); });
    return std::move(*answer);
  }
  static std::string header(const Response& response, std::string_view name) {
    for (const auto& [known, value] : response.headers) {
      if (known == name) return value;
    }
    return "";
  }
  static boost::json::object said(const Response& response) {
    return boost::json::parse(response.text()).as_object();
  }
  static std::string word(const Response& response, std::string_view name) {
    return std::string(said(response).at(name).as_string());
  }
  Response log_in(Browser& browser, const std::string& user, const std::string& password) {
    auto response = ask(browser, "POST", "/api/login",
                        fmt::format(R"({{"username":"{}","password":"{}"}})", user, password));
    if (response.status == 200) {
      const auto cookie = header(response, "Set-Cookie");
      browser.cookie = cookie.substr(0, cookie.find(';'));
      browser.csrf = word(response, "csrf_token");
    }
    return response;
  }
  Browser admin() {
    Browser browser;
    EXPECT_EQ(log_in(browser, "admin", first).status, 200);
    EXPECT_EQ(ask(browser, "POST", "/api/password",
                  fmt::format(R"({{"old":"{}","new":"lamp-on-the-water"}})", first))
                  .status,
              204);
    return browser;
  }
  // A user of that role who has chosen a password.
  Browser somebody(const Browser& by, const std::string& name, const std::string& role) {
    EXPECT_EQ(ask(by, "POST", "/api/users",
                  fmt::format(R"({{"name":"{}","role":"{}","password":"only-the-first-one"}})",
                              name, role))
                  .status,
              201);
    Browser browser{.address = "192.0.2.9"};
    EXPECT_EQ(log_in(browser, name, "only-the-first-one").status, 200);
    EXPECT_EQ(ask(browser, "POST", "/api/password",
                  R"({"old":"only-the-first-one","new":"one-of-my-own-making"})")
                  .status,
              204);
    return browser;
  }
  std::vector<std::string> events() const {
    std::vector<std::string> all;
    for (const auto& line : audit.lines) all.emplace_back(line.at("event").as_string());
    return all;
  }

  asio::io_context loop{1};
  ManualClock clock{loop};
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> log{std::tmpfile(), &std::fclose};
  Logbook book{clock, log.get(), Logbook::Form::text, Level::debug};
  Catalog catalog;
  Cache cache{catalog};
  Metrics metrics;
  Bus bus{loop.get_executor(), cache};
  Progress progress{clock};
  Owners owners;
  Alerts alerts{clock};
  ClockWatch clock_watch{clock, Time{}};
  Worker files, disk;
  HeardAudit audit{clock};
  std::map<std::string, std::shared_ptr<void>> heirlooms;
  Context context{loop.get_executor(),
                  clock,
                  book,
                  catalog,
                  cache,
                  bus,
                  metrics,
                  progress,
                  owners,
                  alerts,
                  clock_watch,
                  files,
                  heirlooms,
                  "site-7",
                  {},
                  {}};
  Field field{context};
  std::string first;
  Accounts accounts{
      clock, book, {.first_password = [this](const std::string&, const std::string& password) {
        first = password;
      }}};
  LiveHub live{loop.get_executor(), clock};
  House house{.loop = loop.get_executor(),
              .clock = clock,
              .logbook = book,
              .field = field,
              .disk = disk,
              .accounts = accounts,
              .live = live,
              .config_dir = {},
              .data_dir = {}};
  Router router{accounts, nowhere};
};

TEST_F(PeopleTest, ALogInTellsWhoOneIsAndSetsACookie) {
  Browser browser;
  const auto response = log_in(browser, "admin", first);
  ASSERT_EQ(response.status, 200) << response.text();
  const auto session = said(response);
  EXPECT_EQ(session.at("user"), "admin");
  EXPECT_EQ(session.at("role"), "admin");
  EXPECT_EQ(session.at("must_change_password"), true);
  EXPECT_EQ(session.at("site"), "site-7");
  EXPECT_EQ(session.at("expires"), "2026-01-05T00:00:00.000Z");
  EXPECT_THAT(header(response, "Set-Cookie"), HasSubstr("HttpOnly; SameSite=Strict"));
  EXPECT_EQ(said(ask(browser, "GET", "/api/session")), session);
}

TEST_F(PeopleTest, NothingElseIsAnsweredUntilTheFirstPasswordIsChanged) {
  Browser browser;
  log_in(browser, "admin", first);
  const auto refused = ask(browser, "GET", "/api/users");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(word(refused, "type"), "password-change-required");
  EXPECT_EQ(ask(browser, "GET", "/api/nothing").status, 403);
  const auto weak = ask(browser, "POST", "/api/password",
                        fmt::format(R"({{"old":"{}","new":"password1234"}})", first));
  EXPECT_EQ(weak.status, 422);
  EXPECT_EQ(word(weak, "type"), "weak-password");
  EXPECT_EQ(said(weak).at("errors").at(0).at("field"), "new");
  EXPECT_EQ(ask(browser, "POST", "/api/password",
                fmt::format(R"({{"old":"{}","new":"lamp-on-the-water"}})", first))
                .status,
            204);
  EXPECT_EQ(ask(browser, "GET", "/api/users").status, 200);
}

TEST_F(PeopleTest, WithoutASessionThereIs401AndNothingElse) {
  const auto name = accounts.cookies({}).session();
  for (const auto* path : {"/api/session", "/api/users", "/api/sessions", "/api/tokens"}) {
    for (const Browser& browser : {Browser{}, Browser{.cookie = name + "=" + std::string(64, 'a')},
                                   Browser{.cookie = name + "=x", .csrf = "y"}}) {
      const auto refused = ask(browser, "GET", path);
      EXPECT_EQ(refused.status, 401) << path;
      EXPECT_EQ(said(refused).size(), 4U) << refused.text();
    }
  }
}

TEST_F(PeopleTest, AWrongPasswordAndAnUnknownUserAreToldTheSame) {
  Browser browser;
  const auto wrong = log_in(browser, "admin", "wrong");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(word(wrong, "type"), "wrong-password");
  EXPECT_EQ(log_in(browser, "nobody", "wrong").text(), wrong.text());
}

TEST_F(PeopleTest, AfterFiveWrongOnesThereIs429WithTheTimeToWait) {
  Browser browser;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(log_in(browser, "admin", "wrong").status, 401);
  const auto locked = log_in(browser, "admin", first);
  EXPECT_EQ(locked.status, 429);
  EXPECT_EQ(word(locked, "type"), "locked");
  EXPECT_EQ(header(locked, "Retry-After"), "30");
  EXPECT_THAT(word(locked, "detail"), HasSubstr("30 s"));
  Browser elsewhere{.address = "192.0.2.2"};
  EXPECT_EQ(log_in(elsewhere, "admin", first).status, 200);
}

TEST_F(PeopleTest, AnotherSitesPageMayNotLogInHere) {
  const auto with = [&](std::string name, std::string value) {
    Browser browser{.headers = {{std::move(name), std::move(value)}}};
    return log_in(browser, "admin", first).status;
  };
  EXPECT_EQ(with("origin", "http://elsewhere.example"), 403);
  EXPECT_EQ(with("origin", "null"), 403);
  EXPECT_EQ(with("sec-fetch-site", "cross-site"), 403);
  EXPECT_EQ(with("sec-fetch-site", "same-site"), 403);
  EXPECT_EQ(with("origin", "http://gateway:8080"), 200);
  EXPECT_EQ(with("sec-fetch-site", "same-origin"), 200);
  Request form;
  form.method = "POST";
  form.path = "/api/login";
  form.headers.emplace_back("content-type", "text/plain");
  form.body = R"({"username":"admin","password":"x"})";
  std::optional<int> status;
  asio::co_spawn(loop, router.answer(form),
                 [&](std::exception_ptr, Response response) { status = response.status; });
  run_until([&] { return status.has_value(); });
  EXPECT_EQ(status, 415);
}

TEST_F(PeopleTest, AChangeWantsTheCsrfTokenOfItsOwnSession) {
  const auto mine = admin();
  auto other = mine;
  log_in(other, "admin", "lamp-on-the-water");
  for (const auto& csrf : {std::string(), std::string("wrong"), other.csrf}) {
    Browser browser{.cookie = mine.cookie, .csrf = csrf};
    // `other` logged in with the cookie of `mine`, which ended that session.
    EXPECT_EQ(ask(browser, "POST", "/api/logout").status, 401);
    browser.cookie = other.cookie;
    if (csrf == other.csrf) continue;
    const auto refused = ask(browser, "POST", "/api/logout");
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(word(refused, "type"), "csrf");
  }
  EXPECT_EQ(ask(other, "POST", "/api/logout").status, 204);
}

TEST_F(PeopleTest, AStolenCookieIsWorthNothingAfterTheLogOut) {
  const auto browser = admin();
  const auto out = ask(browser, "POST", "/api/logout");
  EXPECT_EQ(out.status, 204);
  EXPECT_THAT(header(out, "Set-Cookie"), HasSubstr(accounts.cookies({}).session() + "=; Path=/"));
  EXPECT_EQ(ask(browser, "GET", "/api/session").status, 401);
}

TEST_F(PeopleTest, UsersAreAddedChangedAndRemovedByAdministratorsAlone) {
  const auto boss = admin();
  const auto anna = somebody(boss, "anna", "operator");
  EXPECT_EQ(ask(anna, "GET", "/api/users").status, 403);
  EXPECT_EQ(word(ask(anna, "DELETE", "/api/users/admin"), "type"), "role");
  EXPECT_EQ(word(ask(anna, "GET", "/api/tokens"), "type"), "role");

  const auto changed = ask(boss, "POST", "/api/users/anna", R"({"role":"viewer"})");
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(word(changed, "role"), "viewer");
  EXPECT_EQ(word(ask(anna, "GET", "/api/session"), "role"), "viewer") << "at once";
  EXPECT_EQ(ask(boss, "POST", "/api/users/anna", R"({"password":"a-second-first-one"})").status,
            200);
  EXPECT_EQ(ask(anna, "GET", "/api/session").status, 401) << "sessions end with the password";
  EXPECT_EQ(ask(boss, "DELETE", "/api/users/anna").status, 204);
  EXPECT_EQ(ask(boss, "DELETE", "/api/users/anna").status, 404);
}

TEST_F(PeopleTest, AUserThatCannotBeIsToldWhy) {
  const auto boss = admin();
  const auto add = [&](const char* body) { return ask(boss, "POST", "/api/users", body); };
  EXPECT_EQ(add(R"({"name":"a b","role":"viewer","password":"lamp-on-the-land"})").status, 422);
  EXPECT_EQ(add(R"({"name":"anna","role":"root","password":"lamp-on-the-land"})").status, 422);
  EXPECT_EQ(word(add(R"({"name":"anna","role":"viewer","password":"short"})"), "type"),
            "weak-password");
  EXPECT_EQ(add(R"({"name":"ADMIN","role":"viewer","password":"lamp-on-the-land"})").status, 409);
  EXPECT_EQ(add(R"({"name":7})").status, 400);
  EXPECT_EQ(add("[]").status, 400);
  const auto last = ask(boss, "DELETE", "/api/users/admin");
  EXPECT_EQ(last.status, 409);
  EXPECT_THAT(word(last, "detail"), HasSubstr("last administrator"));
  EXPECT_EQ(ask(boss, "POST", "/api/users/admin", R"({"role":"viewer"})").status, 409);
  EXPECT_EQ(ask(boss, "POST", "/api/users/admin", R"({"password":"lamp-on-the-land"})").status, 409)
      << "one's own needs the present one";
}

TEST_F(PeopleTest, SessionsAreOnesOwnUnlessOneIsAdministrator) {
  const auto boss = admin();
  const auto anna = somebody(boss, "anna", "viewer");
  const auto all = said(ask(boss, "GET", "/api/sessions")).at("items").as_array();
  const auto own = said(ask(anna, "GET", "/api/sessions")).at("items").as_array();
  ASSERT_EQ(all.size(), 2U);
  ASSERT_EQ(own.size(), 1U);
  EXPECT_EQ(own[0].at("user"), "anna");
  EXPECT_EQ(own[0].at("current"), true);
  EXPECT_EQ(own[0].at("address"), "192.0.2.9");
  std::string of_boss;
  for (const auto& one : all)
    if (one.at("user") == "admin") of_boss = std::string(one.at("id").as_string());
  EXPECT_EQ(ask(anna, "DELETE", "/api/sessions/" + of_boss).status, 404);
  EXPECT_EQ(ask(boss, "GET", "/api/session").status, 200);
  const std::string of_anna(own[0].at("id").as_string());
  EXPECT_EQ(ask(boss, "DELETE", "/api/sessions/" + of_anna).status, 204);
  EXPECT_EQ(ask(anna, "GET", "/api/session").status, 401);
}

TEST_F(PeopleTest, ATokenDoesWhatItsRoleMayAndNoMore) {
  const auto boss = admin();
  const auto made =
      ask(boss, "POST", "/api/tokens", R"({"name":"backup","role":"viewer","days":30})");
  ASSERT_EQ(made.status, 201) << made.text();
  EXPECT_EQ(word(made, "expires"), "2026-02-03T12:00:00.000Z");
  Browser script{.headers = {{"authorization", "Bearer " + word(made, "token")}}};
  const auto session = ask(script, "GET", "/api/session");
  EXPECT_EQ(session.status, 200);
  EXPECT_EQ(header(session, "Set-Cookie"), "");
  EXPECT_EQ(ask(script, "GET", "/api/users").status, 403);
  EXPECT_EQ(ask(script, "POST", "/api/logout").status, 409);

  const auto strong =
      ask(boss, "POST", "/api/tokens", R"({"name":"x","role":"admin","days":null})");
  Browser other{.headers = {{"authorization", "Bearer " + word(strong, "token")}}};
  EXPECT_EQ(ask(other, "GET", "/api/users").status, 200);
  EXPECT_EQ(ask(other, "POST", "/api/tokens", R"({"name":"y","role":"viewer"})").status, 403);
  EXPECT_EQ(ask(other, "POST", "/api/users",
                R"({"name":"mallory","role":"admin","password":"only-the-first-one"})")
                .status,
            403);
  somebody(boss, "vera", "viewer");
  for (const auto* body : {R"({"password":"another-first-one"})", R"({"role":"admin"})"})
    EXPECT_EQ(ask(other, "POST", "/api/users/vera", body).status, 403) << body;
  EXPECT_EQ(said(ask(boss, "GET", "/api/users")).at("items").as_array().size(), 2U);
  const auto list = ask(boss, "GET", "/api/tokens");
  EXPECT_EQ(said(list).at("items").as_array().size(), 2U);
  EXPECT_THAT(std::string(list.text()), Not(HasSubstr(word(made, "token"))));
  EXPECT_EQ(ask(boss, "DELETE", "/api/tokens/" + word(strong, "id")).status, 204);
  EXPECT_EQ(ask(other, "GET", "/api/users").status, 401);
  for (const auto* body :
       {R"({"name":"","role":"viewer"})", R"({"name":"x","role":"king"})",
        R"({"name":"x","role":"viewer","days":0})", R"({"name":"x","role":"viewer","days":"30"})"})
    EXPECT_EQ(ask(boss, "POST", "/api/tokens", body).status, 422) << body;
}

TEST_F(PeopleTest, ATokenThatWasStolenPutsNobodyOut) {
  auto boss = admin();
  somebody(boss, "vera", "viewer");
  const auto token = [&](const char* role) {
    const auto made =
        ask(boss, "POST", "/api/tokens", fmt::format(R"({{"name":"x","role":"{}"}})", role));
    return std::pair(Browser{.headers = {{"authorization", "Bearer " + word(made, "token")}}},
                     word(made, "id"));
  };
  const auto [thief, own] = token("admin");
  const auto [weak, other] = token("viewer");
  const auto session =
      std::string(said(ask(boss, "GET", "/api/sessions")).at("items").at(0).at("id").as_string());
  for (const auto& script : {thief, weak}) {
    EXPECT_EQ(ask(script, "GET", "/api/sessions").status, 403);
    const auto refused = ask(script, "DELETE", "/api/sessions/" + session);
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(word(refused, "type"), "role");
  }
  EXPECT_EQ(ask(thief, "DELETE", "/api/users/vera").status, 403);
  EXPECT_EQ(ask(thief, "DELETE", "/api/users/nobody").status, 403);
  EXPECT_EQ(ask(thief, "DELETE", "/api/tokens/" + other).status, 403);
  EXPECT_EQ(ask(thief, "DELETE", "/api/tokens/nothing").status, 403);
  EXPECT_EQ(ask(weak, "GET", "/api/session").status, 200) << "all are there still";
  EXPECT_EQ(ask(thief, "DELETE", "/api/tokens/" + own).status, 204) << "itself it may end";
  EXPECT_EQ(ask(thief, "GET", "/api/session").status, 401);
}

TEST_F(PeopleTest, TheListOfTokensSaysWhoseTheyAre) {
  const auto boss = admin();
  somebody(boss, "anna", "admin");
  auto anna = Browser{.address = "192.0.2.9"};
  log_in(anna, "anna", "one-of-my-own-making");
  ask(boss, "POST", "/api/tokens", R"({"name":"x","role":"viewer"})");
  const auto made = ask(anna, "POST", "/api/tokens", R"({"name":"x","role":"viewer"})");
  EXPECT_EQ(word(made, "user"), "anna");
  const auto list = said(ask(boss, "GET", "/api/tokens")).at("items").as_array();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].at("user"), "admin");
  EXPECT_EQ(list[1].at("user"), "anna");
}

TEST_F(PeopleTest, ABrowserThatWasInBeforeIsNotKeptOutByItsNeighbours) {
  auto boss = admin();
  Browser browser;
  const auto first_time = log_in(browser, "admin", "lamp-on-the-water");
  ASSERT_EQ(first_time.headers.size(), 2U);
  const auto& set = first_time.headers[1].second;
  EXPECT_THAT(set, HasSubstr("-device="));
  for (int i = 0; i < 6; ++i) {
    Browser neighbour;
    log_in(neighbour, "admin", "wrong");
  }
  Browser without;
  EXPECT_EQ(log_in(without, "admin", "lamp-on-the-water").status, 429);
  Browser with{.cookie = set.substr(0, set.find(';'))};
  EXPECT_EQ(ask(with, "GET", "/api/session").status, 401) << "it opens nothing";
  EXPECT_EQ(log_in(with, "admin", "lamp-on-the-water").status, 200);
  // And one's password can be changed there meanwhile.
  auto both = with;
  both.cookie += "; " + set.substr(0, set.find(';'));
  const auto* change = R"({"old":"lamp-on-the-water","new":"lamp-under-the-water"})";
  EXPECT_EQ(ask(with, "POST", "/api/password", change).status, 429);
  EXPECT_EQ(ask(both, "POST", "/api/password", change).status, 204);
}

TEST_F(PeopleTest, WhoLogsInAndOutAllDayDoesNotFillTheAudit) {
  const auto boss = admin();
  auto vera = somebody(boss, "vera", "viewer");
  audit.lines.clear();
  for (int i = 0; i < 30; ++i) {
    log_in(vera, "vera", "one-of-my-own-making");
    ask(vera, "POST", "/api/logout");
  }
  EXPECT_EQ(audit.lines.size(), 19U + 20U) << "the one before is counted";
  audit.lines.clear();
  auto again = boss;
  log_in(again, "admin", "lamp-on-the-water");
  EXPECT_EQ(audit.lines.size(), 1U) << "another user's lines have a budget of their own";
  clock.advance(61s);
  log_in(vera, "vera", "one-of-my-own-making");
  ASSERT_EQ(audit.lines.size(), 2U);
  EXPECT_EQ(audit.lines.back().at("untold_before"), "11");
}

TEST_F(PeopleTest, TheAuditTellsWhoDidWhatAndNoSecret) {
  Browser guesser{.address = "192.0.2.66"};
  log_in(guesser, "admin", "wrong-guess");
  log_in(guesser, "my-password-by-mistake", "x");
  const auto boss = admin();
  ask(boss, "POST", "/api/users",
      R"({"name":"anna","role":"viewer","password":"only-the-first-one"})");
  const auto made = ask(boss, "POST", "/api/tokens", R"({"name":"backup","role":"viewer"})");
  ask(boss, "DELETE", "/api/users/anna");
  ask(boss, "POST", "/api/logout");
  EXPECT_THAT(events(), ElementsAre("login-refused", "login-refused", "login", "password-changed",
                                    "user-added", "token-made", "user-removed", "logout"));
  EXPECT_EQ(audit.lines[0].at("user"), "admin");
  EXPECT_EQ(audit.lines[0].at("address"), "192.0.2.66");
  EXPECT_EQ(audit.lines[1].at("user"), "(unknown)");
  EXPECT_EQ(audit.lines[4].at("about"), "anna");
  std::string all;
  for (const auto& line : audit.lines) all += boost::json::serialize(line);
  for (const auto& secret :
       {first, std::string("lamp-on-the-water"), std::string("only-the-first-one"),
        std::string("my-password"), std::string("wrong-guess"), word(made, "token"),
        boss.cookie.substr(boss.cookie.find('=') + 1), boss.csrf})
    EXPECT_THAT(all, Not(HasSubstr(secret)));
}

TEST_F(PeopleTest, WhoGuessesAllDayDoesNotFillTheAudit) {
  for (int i = 0; i < 100; ++i) {
    Browser browser{.address = fmt::format("192.0.2.{}", i % 200)};
    log_in(browser, "admin", "wrong");
  }
  EXPECT_EQ(audit.lines.size(), 20U);
  clock.advance(11s);
  Browser browser{.address = "192.0.2.250"};
  log_in(browser, "admin", "wrong");
  ASSERT_EQ(audit.lines.size(), 21U);
  EXPECT_EQ(audit.lines.back().at("untold_before"), "80");
}

}  // namespace
}  // namespace lightship::portal
