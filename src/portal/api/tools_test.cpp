// The tools, with echoes that are played: what is asked, what is told, who may and how often.
#include <deque>

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include "portal/api/diag.h"
#include "portal/testing/shop.h"

namespace lightship::portal {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

struct Played final : Pinging {
  explicit Played(std::deque<Echo>& of) : echoes(of) {}
  Task<Result<Echo>> ask(std::uint16_t, MonoTime) override {
    if (echoes.empty()) co_return fail(Errc::unavailable, "cannot send: network is unreachable");
    auto echo = echoes.front();
    echoes.pop_front();
    co_return echo;
  }
  std::deque<Echo>& echoes;
};

struct Tooled : Shop {
  std::deque<Pinging::Echo> echoes;
  std::optional<Error> refusal;
  DiagDesk desk{
      context, field, worker,
      [this](asio::any_io_executor, const asio::ip::address&) -> Result<std::unique_ptr<Pinging>> {
        if (refusal) return fail(*refusal);
        return std::make_unique<Played>(echoes);
      },
      [this] {
        ++asked;
        return OurUses{};
      }};
  int asked = 0;  // how often the program was asked whom it talks to
  Tooled() {
    add_tools(router, desk);
    add_diag(router, desk);
  }

  Response ping(std::string body, bool streamed = false) {
    std::vector<std::pair<std::string, std::string>> headers;
    if (streamed) headers.emplace_back("accept", "application/x-ndjson");
    return ask(router, "/api/diag/ping", {}, std::move(body), headers);
  }
};

TEST(NetworkApi, DialsOnceForAllWhoAskWithinTenSeconds) {
  Tooled all;
  Request request;
  request.method = "GET";
  request.path = "/api/diag/network";
  int together = 0;
  for (int i = 0; i < 5; ++i)
    asio::co_spawn(
        all.loop, all.router.answer(request),
        [&](std::exception_ptr, Response response) { together += response.status == 200; });
  EXPECT_EQ(all.ask(all.router, "/api/diag/network").status, 200);
  EXPECT_EQ(together, 5);
  EXPECT_EQ(all.asked, 1);
  all.clock.advance(11s);
  EXPECT_EQ(all.ask(all.router, "/api/diag/network").status, 200);
  EXPECT_EQ(all.asked, 2);
}

TEST(Ping, TellsTimesAndLoss) {
  Tooled all;
  all.echoes = {{41ms, {}, 64}, {}, {1500us, {}, 64}};
  const auto answer = all.ping(R"({"host":"192.0.2.1","count":3})");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.text(), R"({"host":"192.0.2.1","address":"192.0.2.1","sent":3,"received":2,)"
                           R"("loss_percent":33.3,"times_ms":[41,null,1.5],"error":null})");
}

TEST(Ping, TellsWhatARouterSaid) {
  Tooled all;
  all.echoes = {{std::nullopt, "192.0.2.254 says: host unreachable", -1}};
  const auto said = json::parse(all.ping(R"({"host":"192.0.2.1","count":1})").text());
  EXPECT_EQ(said.at("error").as_string(), "192.0.2.254 says: host unreachable");
  EXPECT_EQ(said.at("loss_percent").to_number<int>(), 100);
}

TEST(Ping, SaysWhatToSetWhereNoEchoIsAllowed) {
  Tooled all;
  all.refusal = Error{Errc::unavailable, "set net.ipv4.ping_group_range"};
  const auto said = json::parse(all.ping(R"({"host":"192.0.2.1"})").text());
  EXPECT_EQ(said.at("sent").to_number<int>(), 0);
  EXPECT_EQ(said.at("error").as_string(), "set net.ipv4.ping_group_range");
}

TEST(Ping, IsToldAsItRuns) {
  Tooled all;
  all.echoes = {{1ms, {}, 64}, {2ms, {}, 64}};
  const auto answer = all.ping(R"({"host":"192.0.2.1","count":2})", true);
  EXPECT_EQ(answer.content_type, "application/x-ndjson");
  EXPECT_EQ(*all.answer(answer.pieces()), "{\"seq\":1,\"ms\":1}\n");
  EXPECT_EQ(*all.answer(answer.pieces()), "{\"seq\":2,\"ms\":2}\n");
  EXPECT_NE(all.answer(answer.pieces())->find("\"received\":2"), std::string::npos);
  EXPECT_EQ(all.answer(answer.pieces()), std::nullopt);
}

TEST(Ping, GivesItsPlaceBackWhenNobodyListens) {
  Tooled all;
  for (int i = 0; i < 8; ++i) {
    all.echoes = {{1ms, {}, 64}};
    const auto answer = all.ping(R"({"host":"192.0.2.1","count":20})", true);
    ASSERT_EQ(answer.status, 200) << i;
    (void)all.answer(answer.pieces());  // one line, then the client is gone
  }
}

TEST(Ping, FourRunAtOnce) {
  Tooled all;
  std::vector<Response> running;
  for (int i = 0; i < 4; ++i) running.push_back(all.ping(R"({"host":"192.0.2.1"})", true));
  const auto fifth = all.ping(R"({"host":"192.0.2.1"})", true);
  EXPECT_EQ(fifth.status, 429);
}

TEST(Ping, RefusesWhatIsNoHost) {
  Tooled all;
  for (const std::string host : {"1", "\"\"", "\"; rm -rf /\"", "\"-f\"", "\"$(reboot)\"",
                                 "\"127.0.0.1\\u0000;id\"", "\"224.0.0.1\"", "null", "[]"})
    EXPECT_EQ(all.ping("{\"host\":" + host + "}").status, 422) << host;
  for (const std::string count : {"0", "21", "\"4\"", "1.5", "-1"})
    EXPECT_EQ(all.ping("{\"host\":\"a\",\"count\":" + count + "}").status, 422) << count;
  EXPECT_EQ(all.ping("{}").status, 422);
  EXPECT_EQ(all.ping("{\"host\":\"" + std::string(300, 'a') + "\"}").status, 422);
  EXPECT_EQ(all.ping("[1]").status, 400);
}

TEST(Ping, IsForOperatorsAndInTheLog) {
  Tooled all;
  all.gate.caller.role = Role::viewer;
  EXPECT_EQ(all.ping(R"({"host":"192.0.2.1"})").status, 403);
  all.gate.caller.role = Role::operate;
  EXPECT_EQ(all.ping(R"({"host":"192.0.2.1"})").status, 200);
  const auto lines = all.book.ring().lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]->fields, R"("tool":"ping","host":"192.0.2.1","by":"anna 192.0.2.7")");
}

TEST(Dns, AnAddressIsItself) {
  Tooled all;
  const auto answer = all.ask(all.router, "/api/diag/dns", {}, R"({"name":"192.0.2.1"})");
  EXPECT_EQ(json::parse(answer.text()).at("addresses").at(0).as_string(), "192.0.2.1");
}

TEST(PortTest, WantsAPort) {
  Tooled all;
  for (const char* body : {R"({"host":"a"})", R"({"host":"a","port":0})",
                           R"({"host":"a","port":65536})", R"({"host":"a","port":"80"})"})
    EXPECT_EQ(all.ask(all.router, "/api/diag/port", {}, body).status, 422) << body;
}

struct CountedAudit final : Audit {
  using Audit::Audit;
  Task<Result<void>> read_back(Time, std::function<void(std::string_view)>) override {
    co_return Result<void>{};
  }
  Task<Result<void>> keep(std::string line, Durability) override {
    lines.push_back(std::move(line));
    co_return Result<void>{};
  }
  std::vector<std::string> lines;
};

TEST(PortTest, DoesNotFillTheAuditHoweverOftenItIsUsed) {
  Tooled all;
  CountedAudit audit{all.clock};
  all.context.audit = &audit;
  const auto use = [&] {
    return all.ask(all.router, "/api/diag/dns", {}, R"({"name":"192.0.2.1"})").status;
  };
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(use(), 200);
    all.clock.advance(1s);
  }
  EXPECT_EQ(audit.lines.size(), 10U);
  all.clock.advance(2min);
  ASSERT_EQ(use(), 200);
  ASSERT_EQ(audit.lines.size(), 11U);
  EXPECT_NE(audit.lines.back().find(R"("untold_before":"40")"), std::string::npos)
      << audit.lines.back();
}

}  // namespace
}  // namespace lightship::portal
