// Restarts of parts: which of them are in the audit, and how many at most.
#include "portal/api/service.h"

#include <gtest/gtest.h>

#include "portal/testing/shop.h"

namespace lightship::portal {
namespace {

using namespace std::chrono_literals;

// Counts its lines.
struct CountingAudit final : Audit {
  using Audit::Audit;
  Task<Result<void>> read_back(Time, std::function<void(std::string_view)>) override {
    co_return Result<void>{};
  }
  Task<Result<void>> keep(std::string, Durability) override {
    ++lines;
    co_return Result<void>{};
  }
  int lines = 0;
};

struct ServiceTest : testing::Test {
  ServiceTest() {
    shop.context.audit = &audit;
    Program program;
    program.parts = [] { return std::vector<std::string>{"modbus/main"}; };
    program.restart_part = [this](std::string part) { return done(std::move(part)); };
    add_service(shop.router, shop.field, program);
  }
  Task<Result<void>> done(std::string part) {
    restarted.push_back(std::move(part));
    if (delivers > 0s) co_await shop.clock.sleep_for(delivers);
    if (refuses) co_return fail(Errc::refused, "'modbus/main' is being restarted already");
    co_return Result<void>{};
  }
  Response restart(const std::string& part) {
    return shop.ask(shop.router, "/api/service/restart", {},
                    fmt::format(R"({{"part":"{}"}})", part));
  }

  Shop shop;
  CountingAudit audit{shop.clock};
  std::vector<std::string> restarted;
  Duration delivers{};
  bool refuses = false;  // the program: somebody else restarts it
};

TEST_F(ServiceTest, APartIsRestartedAndTheAuditSaysSo) {
  EXPECT_EQ(restart("modbus/main").status, 202);
  EXPECT_EQ(restarted, std::vector<std::string>{"modbus/main"});
  EXPECT_EQ(audit.lines, 1);
}

TEST_F(ServiceTest, APartThatIsNotThereIsNoLineInTheAudit) {
  for (int i = 0; i < 100; ++i) {
    const auto missing = restart(std::string(200, 'n'));
    ASSERT_EQ(missing.status, 404);
    ASSERT_NE(missing.text().find("there are: modbus/main"), std::string::npos);
  }
  EXPECT_EQ(audit.lines, 0);
  EXPECT_TRUE(restarted.empty());
}

TEST_F(ServiceTest, APartThatIsBeingRestartedAlreadyIsAConflictAndNoLineInTheAudit) {
  delivers = 2s;
  std::optional<int> first;
  Request request;
  request.method = "POST";
  request.path = "/api/service/restart";
  request.body = R"({"part":"modbus/main"})";
  asio::co_spawn(shop.loop, shop.router.answer(request),
                 [&](std::exception_ptr, Response answer) { first = answer.status; });
  shop.clock.advance(100ms);
  const auto second = restart("modbus/main");
  EXPECT_EQ(second.status, 409);
  EXPECT_NE(second.text().find("is being restarted already"), std::string::npos);
  EXPECT_EQ(audit.lines, 1);
  for (int i = 0; i < 40 && !first; ++i) shop.clock.advance(100ms);
  EXPECT_EQ(first, 202);
  EXPECT_EQ(restart("modbus/main").status, 202);
  refuses = true;
  EXPECT_EQ(restart("modbus/main").status, 409);
}

TEST_F(ServiceTest, WhoRestartsAllDayIsSlowedDown) {
  int refused = 0;
  for (int i = 0; i < 100; ++i) refused += restart("modbus/main").status == 429 ? 1 : 0;
  EXPECT_GE(refused, 30);
  EXPECT_EQ(audit.lines, 100 - refused);
  shop.clock.advance(10s);
  EXPECT_EQ(restart("modbus/main").status, 202);
}

}  // namespace
}  // namespace lightship::portal
