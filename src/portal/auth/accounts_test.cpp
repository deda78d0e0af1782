// The accounts: first start, log-ins, sessions that end, tokens, and changes from outside.
#include "portal/auth/accounts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/file.h"
#include "base/manual_clock.h"
#include "portal/auth/cookie.h"
#include "portal/auth/password.h"

namespace lightship::portal {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Outcome = Accounts::Login::Outcome;

const auto kHome = asio::ip::make_address("192.0.2.1");
const auto kElsewhere = asio::ip::make_address("192.0.2.2");
constexpr const char* kGood = "lamp-on-the-water";

struct AccountsTest : testing::Test {
  AccountsTest() { start(); }
  ~AccountsTest() override {
    stop();
    std::filesystem::remove_all(folder);
  }
  void start() {
    AccountSettings settings{
        .data_dir = folder,
        .sessions = {.idle = 1h, .longest = 10h},
        .first_password = [this](const std::string& user, const std::string& password) {
          first.push_back(user + " " + password);
        }};
    accounts = std::make_unique<Accounts>(clock, book, std::move(settings));
    accounts->when_ended([this](const std::vector<std::string>& ids) {
      ended.insert(ended.end(), ids.begin(), ids.end());
      ++told_of_ended;
    });
    wait(accounts->open());
    stopping = std::make_unique<asio::cancellation_signal>();
    asio::co_spawn(loop, accounts->run(),
                   asio::bind_cancellation_slot(stopping->slot(), asio::detached));
    clock.settle();
  }
  // As a kill -9: what is on disk is all that is left.
  void stop() {
    stopping->emit(asio::cancellation_type::terminal);
    clock.settle();
    accounts->stop();
    loop.restart();
    loop.poll();
    accounts.reset();
  }

  template <class T>
  T wait(Task<T> task) {
    std::optional<T> answer;
    asio::co_spawn(loop, std::move(task), [&](std::exception_ptr why, T value) {
      ASSERT_FALSE(why);
      answer = std::move(value);
    });
    run_until([&] { return answer.has_value(); });
    return std::move(*answer);
  }
  void wait(Task<void> task) {
    bool done = false;
    asio::co_spawn(loop, std::move(task), [&](std::exception_ptr why) {
      ASSERT_FALSE(why);
      done = true;
    });
    run_until([&] { return done; });
  }
  void run_until(const std::function<bool()>& done) {
    loop.restart();
    const auto work = asio::make_work_guard(loop);
    while (!done()) loop.run_one();
  }
  // Time passes, and what the workers found meanwhile has come home.
  void pass(std::chrono::seconds time) {
    for (const auto step : {time, 1s}) {
      clock.advance(step);
      (void)wait(accounts->remove_token("none"));
    }
  }

  Accounts::Login login(std::string password, asio::ip::address from = kHome,
                        std::string user = "admin", std::string device = {}) {
    return wait(accounts->login(std::move(user), std::move(password), from, "Browser/1",
                                std::move(device)));
  }
  // Until whoever comes from there without a browser of their own waits.
  void guess_until_locked(const std::string& user = "admin") {
    for (int i = 0; i < 50 && login("wrong", kHome, user).outcome != Outcome::locked; ++i) {
    }
    ASSERT_EQ(login("wrong", kHome, user).outcome, Outcome::locked);
  }
  Accounts::NewPassword change(const Caller& caller, std::string old, std::string fresh) {
    return wait(accounts->change_password(caller, std::move(old), std::move(fresh), kHome));
  }
  std::string session_name(bool secure = false) const {
    Request request;
    request.secure = secure;
    return accounts->cookies(request).session();
  }
  std::optional<Caller> by_cookie(std::string cookie, bool secure = false) {
    Request request;
    request.secure = secure;
    request.headers.emplace_back("cookie", session_name(secure) + "=" + std::move(cookie));
    return accounts->who(request);
  }
  std::optional<Caller> by_token(std::string token) {
    Request request;
    request.headers.emplace_back("authorization", "Bearer " + std::move(token));
    return accounts->who(request);
  }
  std::string first_password() const { return first.at(0).substr(6); }
  // An administrator with a password of their own.
  Accounts::Login admin() {
    auto in = login(first_password());
    EXPECT_EQ(change(in.caller, first_password(), kGood).outcome,
              Accounts::NewPassword::Outcome::changed);
    in.caller.must_change_password = false;
    return in;
  }
  std::string text_of(const char* file) const {
    return read_file(folder / file, 1 << 20).value_or("");
  }

  std::filesystem::path folder = [] {
    std::string name = std::filesystem::temp_directory_path() / "lightship-accounts-XXXXXX";
    return std::filesystem::path(::mkdtemp(name.data()));
  }();
  asio::io_context loop{1};
  ManualClock clock{loop};
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> log{std::tmpfile(), &std::fclose};
  Logbook book{clock, log.get(), Logbook::Form::text, Level::debug};
  std::vector<std::string> first, ended;
  int told_of_ended = 0;
  std::unique_ptr<Accounts> accounts;
  std::unique_ptr<asio::cancellation_signal> stopping;
};

TEST_F(AccountsTest, MakeAFirstPasswordOnceAndWantAnotherAtTheFirstLogIn) {
  ASSERT_EQ(first.size(), 1U);
  EXPECT_TRUE(first[0].starts_with("admin "));
  const auto in = login(first_password());
  ASSERT_EQ(in.outcome, Outcome::in);
  EXPECT_TRUE(in.caller.must_change_password);
  EXPECT_EQ(in.caller.role, Role::admin);
  stop();
  start();
  EXPECT_EQ(first.size(), 1U) << "the second start makes none";
}

TEST_F(AccountsTest, KeepNoPasswordAndNoCookieOnDisk) {
  const auto in = login(first_password());
  for (const auto* file : {"users.json", "sessions.json"}) {
    const auto text = text_of(file);
    ASSERT_FALSE(text.empty());
    EXPECT_THAT(text, Not(HasSubstr(first_password()))) << file;
    EXPECT_THAT(text, Not(HasSubstr(in.cookie))) << file;
    EXPECT_THAT(text, Not(HasSubstr(in.caller.csrf))) << file;
  }
}

TEST_F(AccountsTest, KnowACallerByCookieAndNobodyByAWrongOne) {
  const auto in = admin();
  const auto who = by_cookie(in.cookie);
  ASSERT_TRUE(who);
  EXPECT_EQ(who->user, "admin");
  EXPECT_EQ(who->csrf, in.caller.csrf);
  EXPECT_EQ(who->session, in.caller.session);
  EXPECT_FALSE(by_cookie(std::string(64, '0')));
  EXPECT_FALSE(by_cookie(in.caller.session));
  EXPECT_FALSE(by_cookie(""));
  EXPECT_TRUE(by_cookie(in.cookie, true));
  Request planted;
  planted.secure = true;
  planted.headers.emplace_back("cookie", session_name() + "=" + in.cookie);
  EXPECT_FALSE(accounts->who(planted)) << "over TLS only the name that plain http cannot set";
  EXPECT_FALSE(accounts->who(Request{}));
}

TEST_F(AccountsTest, RefuseAWrongPasswordAndAnUnknownUserAlike) {
  EXPECT_EQ(login("wrong").outcome, Outcome::wrong);
  EXPECT_EQ(login("wrong", kElsewhere, "nobody").outcome, Outcome::wrong);
  EXPECT_EQ(login("wrong", kElsewhere, "not a name!").outcome, Outcome::wrong);
  EXPECT_EQ(login(std::string(100'000, 'x'), kElsewhere).outcome, Outcome::wrong);
}

TEST_F(AccountsTest, LockWhoGuessesAndLetTheOwnerInFromElsewhere) {
  for (int i = 0; i < 4; ++i) EXPECT_EQ(login("wrong").wait, 0s);
  EXPECT_EQ(login("wrong").wait, 30s);
  const auto locked = login(first_password());
  EXPECT_EQ(locked.outcome, Outcome::locked) << "the right one waits, too";
  EXPECT_EQ(locked.wait, 30s);
  EXPECT_EQ(accounts->users().at(0).locked_until, clock.now() + 30s);
  EXPECT_EQ(login(first_password(), kElsewhere).outcome, Outcome::in);
  pass(30s);
  EXPECT_EQ(login(first_password()).outcome, Outcome::in);
}

TEST_F(AccountsTest, EndASessionThatIsIdleAndOneThatIsOld) {
  const auto in = admin();
  const auto id = in.caller.session;
  pass(59min);
  EXPECT_TRUE(by_cookie(in.cookie)) << "and it is seen by that";
  pass(59min);
  EXPECT_TRUE(by_cookie(in.cookie));
  pass(61min);
  EXPECT_FALSE(by_cookie(in.cookie));
  EXPECT_THAT(ended, ElementsAre(id));

  const auto second = login(kGood);
  for (int i = 0; i < 19; ++i) {
    pass(31min);
    EXPECT_TRUE(by_cookie(second.cookie)) << i;
  }
  pass(31min);
  EXPECT_FALSE(by_cookie(second.cookie)) << "ten hours are the longest";
}

TEST_F(AccountsTest, KeepSessionsOverARestartAndLogOutsToo) {
  const auto one = admin();
  const auto two = login(kGood);
  ASSERT_TRUE(wait(accounts->end_session(two.caller.session)));
  EXPECT_FALSE(by_cookie(two.cookie));
  stop();
  start();
  const auto who = by_cookie(one.cookie);
  ASSERT_TRUE(who);
  EXPECT_EQ(who->csrf, one.caller.csrf) << "the page goes on as if nothing had been";
  EXPECT_FALSE(by_cookie(two.cookie));
}

TEST_F(AccountsTest, RatherForgetAllSessionsThanOneLogOut) {
  const auto one = admin();
  const auto two = login(kGood);
  std::filesystem::create_directory(folder / "sessions.json.new");  // nothing can be written
  ASSERT_TRUE(wait(accounts->end_session(two.caller.session)));
  EXPECT_TRUE(by_cookie(one.cookie));
  EXPECT_FALSE(std::filesystem::exists(folder / "sessions.json"));
  stop();
  start();
  EXPECT_FALSE(by_cookie(two.cookie));
}

TEST_F(AccountsTest, GiveEveryLogInAnotherSession) {
  const auto one = admin();
  const auto two = login(kGood);
  EXPECT_NE(one.cookie, two.cookie);
  EXPECT_NE(one.caller.csrf, two.caller.csrf);
  EXPECT_NE(one.caller.session, two.caller.session);
}

TEST_F(AccountsTest, BoundTheSessionsOfAUser) {
  const auto oldest = admin();
  for (std::size_t i = 0; i < SessionLimits::kMostOfUser; ++i) {
    clock.advance(1s);
    ASSERT_EQ(login(kGood).outcome, Outcome::in);
  }
  EXPECT_EQ(accounts->sessions().size(), SessionLimits::kMostOfUser);
  EXPECT_FALSE(by_cookie(oldest.cookie)) << "the one seen longest ago had to go";
  EXPECT_THAT(ended, ElementsAre(oldest.caller.session));
}

TEST_F(AccountsTest, EndTheOtherSessionsAndTheTokensWhenThePasswordChanges) {
  const auto mine = admin();
  const auto other = login(kGood);
  const auto token = wait(accounts->add_token(mine.caller, "script", Role::viewer, {}));
  ASSERT_TRUE(token && by_token(token->secret));
  EXPECT_EQ(change(mine.caller, kGood, "lamp-under-the-water").outcome,
            Accounts::NewPassword::Outcome::changed);
  EXPECT_TRUE(by_cookie(mine.cookie));
  EXPECT_FALSE(by_cookie(other.cookie));
  EXPECT_FALSE(by_token(token->secret));
  EXPECT_THAT(ended, testing::UnorderedElementsAre(other.caller.session, token->token.id));
  EXPECT_EQ(told_of_ended, 1) << "once for both";
  stop();
  start();
  EXPECT_TRUE(by_cookie(mine.cookie));
  EXPECT_FALSE(by_cookie(other.cookie));
}

TEST_F(AccountsTest, RefuseAPasswordThatIsWeakTheSameOrGivenWithAWrongOldOne) {
  using NewOutcome = Accounts::NewPassword::Outcome;
  const auto in = login(first_password());
  EXPECT_EQ(change(in.caller, first_password(), "short").outcome, NewOutcome::weak);
  const auto same = change(in.caller, first_password(), first_password());
  EXPECT_EQ(same.outcome, NewOutcome::weak);
  EXPECT_THAT(same.why, HasSubstr("the password you have"));
  EXPECT_EQ(change(in.caller, "wrong", kGood).outcome, NewOutcome::wrong);
  EXPECT_TRUE(by_cookie(in.cookie)->must_change_password);
  for (int i = 0; i < 4; ++i) (void)change(in.caller, "wrong", kGood);
  EXPECT_EQ(change(in.caller, first_password(), kGood).outcome, NewOutcome::locked)
      << "a stolen session may not guess, either";
}

TEST_F(AccountsTest, TakeARoleAndARemovalFromOutsideWithinASecond) {
  const auto in = admin();
  ASSERT_TRUE(wait(accounts->add_user("anna", Role::operate, "operator-of-the-day")));
  const auto anna = login("operator-of-the-day", kHome, "anna");
  ASSERT_EQ(anna.outcome, Outcome::in);
  EXPECT_TRUE(anna.caller.must_change_password) << "the password is a first one";

  // As `lightship user` would, in another process.
  const UserFile outside(folder / "users.json");
  ASSERT_TRUE(outside.change([](UserList& list) { return list.set_role("anna", Role::viewer); },
                             UserFile::Missing::is_wrong));
  pass(1s);
  EXPECT_EQ(by_cookie(anna.cookie)->role, Role::viewer);
  EXPECT_THAT(ended, ElementsAre(anna.caller.session)) << "what lives longer than a request looks";
  EXPECT_FALSE(accounts->is_open(anna.caller)) << "and is not what it was";
  EXPECT_TRUE(accounts->is_open(*by_cookie(anna.cookie)));
  ended.clear();
  ASSERT_TRUE(outside.change([](UserList& list) { return list.remove("anna"); },
                             UserFile::Missing::is_wrong));
  pass(1s);
  EXPECT_FALSE(by_cookie(anna.cookie));
  EXPECT_FALSE(accounts->is_open(anna.caller));
  EXPECT_THAT(ended, ElementsAre(anna.caller.session));
  EXPECT_TRUE(by_cookie(in.cookie));
}

TEST_F(AccountsTest, LookAtTheFileAtEveryLogIn) {
  const UserFile outside(folder / "users.json");
  const auto hash = hash_password("operator-of-the-day").value();
  const auto anna = new_user("anna", Role::operate, hash, clock.now(), false);
  ASSERT_TRUE(
      outside.change([&](UserList& list) { return list.add(anna); }, UserFile::Missing::is_wrong));
  EXPECT_EQ(login("operator-of-the-day", kHome, "anna").outcome, Outcome::in);
}

TEST_F(AccountsTest, FreeALockedAccountWithANewPassword) {
  const auto in = admin();
  ASSERT_TRUE(wait(accounts->add_user("anna", Role::operate, "operator-of-the-day")));
  for (int i = 0; i < 5; ++i) login("wrong", kHome, "anna");
  EXPECT_EQ(login("wrong", kHome, "anna").outcome, Outcome::locked);
  ASSERT_TRUE(wait(accounts->change_user("anna", {}, "operator-of-the-night")));
  EXPECT_EQ(login("operator-of-the-night", kElsewhere, "anna").outcome, Outcome::in);
  EXPECT_FALSE(accounts->users().at(1).locked_until);
}

TEST_F(AccountsTest, RefuseLogInsWhileTheFileIsDamagedAndKeepIt) {
  const auto in = admin();
  const auto whole = text_of("users.json");
  ASSERT_TRUE(write_file_atomic(folder / "users.json", "{ damaged", 0600));
  EXPECT_EQ(login(kGood).outcome, Outcome::broken);
  EXPECT_TRUE(by_cookie(in.cookie)) << "who is in stays in, to look why";
  EXPECT_FALSE(wait(accounts->add_user("anna", Role::viewer, "operator-of-the-day")));
  EXPECT_EQ(text_of("users.json"), "{ damaged");
  stop();
  start();
  EXPECT_EQ(first.size(), 1U) << "no first password for a damaged file";
  EXPECT_EQ(login(kGood).outcome, Outcome::broken);
  EXPECT_FALSE(by_cookie(in.cookie)) << "nobody knows who may";
  ASSERT_TRUE(write_file_atomic(folder / "users.json", whole, 0600));
  EXPECT_EQ(login(kGood).outcome, Outcome::in);
  EXPECT_TRUE(by_cookie(in.cookie));
}

TEST_F(AccountsTest, DoNotMakeANewFileBehindTheirBack) {
  const auto in = admin();
  std::filesystem::remove(folder / "users.json");
  EXPECT_EQ(login(kGood).outcome, Outcome::broken);
  EXPECT_FALSE(wait(accounts->remove_user("admin")));
  EXPECT_FALSE(std::filesystem::exists(folder / "users.json"));
}

TEST_F(AccountsTest, CapATokenAtItsMakersRoleAlsoLater) {
  const auto in = admin();
  auto operator_caller = in.caller;
  operator_caller.role = Role::operate;
  const auto capped = wait(accounts->add_token(operator_caller, "x", Role::admin, {}));
  ASSERT_TRUE(capped);
  EXPECT_EQ(by_token(capped->secret)->role, Role::operate);

  ASSERT_TRUE(wait(accounts->add_user("anna", Role::admin, "operator-of-the-day")));
  const auto anna = login("operator-of-the-day", kHome, "anna");
  const auto token = wait(accounts->add_token(anna.caller, "y", Role::admin, {}));
  ASSERT_TRUE(wait(accounts->change_user("anna", Role::viewer, {})));
  EXPECT_EQ(by_token(token->secret)->role, Role::viewer);
}

TEST_F(AccountsTest, KnowATokenUntilItExpiresOrIsRemoved) {
  const auto in = admin();
  const auto day = wait(accounts->add_token(in.caller, "a day", Role::viewer, 24h));
  const auto ever = wait(accounts->add_token(in.caller, "for ever", Role::operate, {}));
  ASSERT_TRUE(day && ever);
  EXPECT_TRUE(day->secret.starts_with("lsp_"));
  const auto who = by_token(ever->secret);
  ASSERT_TRUE(who);
  EXPECT_EQ(who->token, ever->token.id);
  EXPECT_TRUE(who->csrf.empty() && who->session.empty());
  EXPECT_FALSE(by_token(ever->secret + "0"));
  EXPECT_FALSE(by_token(ever->secret.substr(4))) << "without its head";
  EXPECT_EQ(accounts->tokens().at(1).last_used, clock.now());
  EXPECT_THAT(text_of("users.json"), Not(HasSubstr(ever->secret.substr(4))));

  EXPECT_TRUE(by_token(day->secret));
  pass(24h);
  EXPECT_FALSE(by_token(day->secret));
  EXPECT_THAT(ended, testing::Contains(day->token.id));
  ASSERT_TRUE(wait(accounts->remove_token(ever->token.id)));
  EXPECT_FALSE(by_token(ever->secret));
  EXPECT_FALSE(wait(accounts->remove_token(ever->token.id)));
}

TEST_F(AccountsTest, PreferTheTokenThatIsShownToACookie) {
  const auto in = admin();
  Request request;
  request.headers.emplace_back("cookie", session_name() + "=" + in.cookie);
  request.headers.emplace_back("authorization", "Bearer lsp_wrong");
  EXPECT_FALSE(accounts->who(request));
}

TEST_F(AccountsTest, KeepWhereAUserWasBeforeSoThatOthersGuessesDoNotLockThemOut) {
  admin();
  stop();
  start();
  for (int i = 0; i < 25; ++i)
    (void)login("wrong", asio::ip::make_address_v4(0x0a000000U + static_cast<unsigned>(i)));
  EXPECT_EQ(login(kGood, kElsewhere).outcome, Outcome::locked);
  EXPECT_EQ(login(kGood, kHome).outcome, Outcome::in);
}

TEST_F(AccountsTest, DoNotLetANeighbourAtTheSameAddressKeepABrowserOutThatIsKnown) {
  const auto in = admin();
  const auto again = login(kGood, kHome, "admin", in.device);
  EXPECT_EQ(again.device, in.device) << "the password was changed by the owner";
  guess_until_locked();
  EXPECT_EQ(login(kGood).outcome, Outcome::locked);
  EXPECT_EQ(login(kGood, kHome, "admin", std::string(64, 'a')).outcome, Outcome::locked);
  EXPECT_EQ(login(kGood, kHome, "admin", in.device).outcome, Outcome::in);
  stop();
  start();
  guess_until_locked();
  EXPECT_EQ(login(kGood, kHome, "admin", in.device).outcome, Outcome::in) << "after a restart, too";
  EXPECT_THAT(text_of("sessions.json"), Not(HasSubstr(in.device)));
}

TEST_F(AccountsTest, LetABrowserThatIsKnownDoNothingButTryAPassword) {
  const auto in = admin();
  EXPECT_FALSE(by_cookie(in.device));
  Request request;
  request.headers.emplace_back("cookie", accounts->cookies(request).device() + "=" + in.device);
  EXPECT_FALSE(accounts->who(request));
  for (int i = 0; i < 5; ++i) (void)login("wrong", kElsewhere, "admin", in.device);
  EXPECT_EQ(login(kGood, kElsewhere, "admin", in.device).wait, 30s) << "its own wrong ones count";
}

TEST_F(AccountsTest, KnowABrowserForThePeopleWhoLoggedInWithItAlone) {
  const auto in = admin();
  ASSERT_TRUE(wait(accounts->add_user("anna", Role::operate, "operator-of-the-day")));
  guess_until_locked("anna");
  EXPECT_EQ(login("operator-of-the-day", kHome, "anna", in.device).outcome, Outcome::locked);
  const auto anna = login("operator-of-the-day", kElsewhere, "anna", in.device);
  ASSERT_EQ(anna.outcome, Outcome::in);
  EXPECT_EQ(anna.device, in.device) << "one browser, two people";
  guess_until_locked("admin");
  guess_until_locked("anna");
  EXPECT_EQ(login(kGood, kHome, "admin", in.device).outcome, Outcome::in);
  EXPECT_EQ(login("operator-of-the-day", kHome, "anna", in.device).outcome, Outcome::in);
  EXPECT_NE(login(kGood, kElsewhere, "admin", std::string(64, 'a')).device, std::string(64, 'a'))
      << "what we did not make is not taken over";
}

TEST_F(AccountsTest, ForgetABrowserWithItsUserAndWithAPasswordFromAnAdministrator) {
  admin();
  const auto known = [&](const std::string& device) {
    guess_until_locked("anna");
    const bool in = login("operator-of-the-night", kHome, "anna", device).outcome == Outcome::in;
    pass(2h);
    return in;
  };
  ASSERT_TRUE(wait(accounts->add_user("anna", Role::operate, "operator-of-the-night")));
  auto device = login("operator-of-the-night", kHome, "anna").device;
  EXPECT_TRUE(known(device));
  ASSERT_TRUE(wait(accounts->change_user("anna", {}, "operator-of-the-night")));
  EXPECT_FALSE(known(device));
  device = login("operator-of-the-night", kHome, "anna").device;
  EXPECT_TRUE(known(device));

  // As `lightship user passwd` while the gateway does not run.
  stop();
  const auto hash = hash_password("operator-of-the-night").value();
  ASSERT_TRUE(UserFile(folder / "users.json")
                  .change([&](UserList& list) { return list.set_password("anna", hash, true); },
                          UserFile::Missing::is_wrong));
  start();
  EXPECT_FALSE(known(device));
  device = login("operator-of-the-night", kHome, "anna").device;
  ASSERT_TRUE(wait(accounts->remove_user("anna")));
  ASSERT_TRUE(wait(accounts->add_user("anna", Role::operate, "operator-of-the-night")));
  EXPECT_FALSE(known(device));
}

TEST_F(AccountsTest, KnowABrowserForHalfAYearAndNoMoreThanSoManyOfThem) {
  const auto oldest = admin();
  std::string newest;
  for (std::size_t i = 0; i < Memories::kMostDevices; ++i) newest = login(kGood).device;
  guess_until_locked();
  EXPECT_EQ(login(kGood, kHome, "admin", oldest.device).outcome, Outcome::locked);
  EXPECT_EQ(login(kGood, kHome, "admin", newest).outcome, Outcome::in) << "and it is renewed";
  pass(24h * 179);
  guess_until_locked();
  EXPECT_EQ(login(kGood, kHome, "admin", newest).outcome, Outcome::in);
  pass(24h * 181);
  guess_until_locked();
  EXPECT_EQ(login(kGood, kHome, "admin", newest).outcome, Outcome::locked);
}

TEST_F(AccountsTest, GiveTheirCookiesAnotherNameThanAnotherGatewayAtTheSameHost) {
  const auto in = admin();
  const auto name = session_name();
  EXPECT_TRUE(name.starts_with("lightship-")) << name;
  Accounts another(clock, book, {});
  wait(another.open());
  EXPECT_NE(another.cookies({}).session(), name);
  stop();
  start();
  EXPECT_EQ(session_name(), name) << "the same after a restart";
  // A browser gives both cookies to both.
  Request request;
  request.headers.emplace_back("cookie", another.cookies({}).session() + "=" +
                                             std::string(64, 'a') + "; " + name + "=" + in.cookie);
  EXPECT_TRUE(accounts->who(request));
  another.stop();
}

TEST_F(AccountsTest, TakeTheCookieWhereAProxyHasAPasswordOfItsOwn) {
  const auto in = admin();
  Request request;
  request.headers.emplace_back("cookie", session_name() + "=" + in.cookie);
  request.headers.emplace_back("authorization", "Basic cHJveHk6cHJveHk=");
  const auto who = accounts->who(request);
  ASSERT_TRUE(who);
  EXPECT_EQ(who->csrf, in.caller.csrf) << "and the rules of a session hold";
  EXPECT_TRUE(who->token.empty());
}

TEST_F(AccountsTest, LetOnlySoManyWaitForTheirTurn) {
  std::vector<Outcome> outcomes;
  for (unsigned i = 0; i < 10; ++i) {
    asio::co_spawn(
        loop, accounts->login("admin", "wrong", asio::ip::make_address_v4(0x0a000100U + i), ""),
        [&](std::exception_ptr, Accounts::Login answer) { outcomes.push_back(answer.outcome); });
  }
  run_until([&] { return outcomes.size() == 10; });
  EXPECT_EQ(std::ranges::count(outcomes, Outcome::wrong), Accounts::kMostWaitingUnknown);
  EXPECT_EQ(std::ranges::count(outcomes, Outcome::busy), 4);
}

TEST_F(AccountsTest, EndAllWhenTheSessionsFileIsDamagedButStart) {
  const auto in = admin();
  stop();
  ASSERT_TRUE(write_file_atomic(folder / "sessions.json", "\0\1garbage", 0600));
  start();
  EXPECT_FALSE(by_cookie(in.cookie));
  EXPECT_EQ(login(kGood).outcome, Outcome::in);
}

TEST(Cookie, IsHiddenFromScriptsAndOtherSites) {
  const Cookies plain{"a1", false}, secure{"a1", true};
  EXPECT_EQ(plain.set_session("abc"), "lightship-a1=abc; Path=/; HttpOnly; SameSite=Strict");
  EXPECT_EQ(secure.set_session("abc"),
            "__Host-lightship-a1=abc; Path=/; HttpOnly; SameSite=Strict; Secure");
  EXPECT_EQ(plain.set_session(""), "lightship-a1=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
  EXPECT_EQ(plain.set_device("abc", 60s),
            "lightship-a1-device=abc; Path=/; HttpOnly; SameSite=Strict; Max-Age=60");
  EXPECT_EQ(secure.set_device("abc", {}),
            "__Host-lightship-a1-device=abc; Path=/; HttpOnly; SameSite=Strict; Secure");
}

TEST(Bearer, IsReadInAnyCaseAndNothingElseIsOne) {
  EXPECT_EQ(bearer_of("Bearer lsp_1"), "lsp_1");
  EXPECT_EQ(bearer_of("bearer  lsp_1 "), "lsp_1");
  EXPECT_EQ(bearer_of("Bearer"), "") << "shown, and empty";
  for (const auto* other : {"Basic lsp_1", "Bearerlsp_1", ""})
    EXPECT_FALSE(bearer_of(other)) << other;
}

}  // namespace
}  // namespace lightship::portal
