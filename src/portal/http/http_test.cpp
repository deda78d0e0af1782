// Places, rates, heads and certificates: what the server decides without a socket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "portal/http/head.h"
#include "portal/http/rate_limit.h"
#include "portal/http/tls.h"
#include "portal/http/visitors.h"

namespace lightship::portal {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

const auto kHere = asio::ip::make_address("192.0.2.1");
const auto kThere = asio::ip::make_address("192.0.2.2");

struct VisitorsTest : testing::Test {
  Visitors house{Visitors::Limits{.connections = 3, .web_sockets = 1}};
  std::vector<int> dropped;
  std::unique_ptr<Visitors::Visit> admit(int number, const asio::ip::address& peer = kHere) {
    return house.admit(peer, [this, number] { dropped.push_back(number); });
  }
};

TEST_F(VisitorsTest, CloseTheOneThatHasBeenIdleLongestForANewOne) {
  auto one = admit(1), two = admit(2), three = admit(3);
  one->busy(true);
  one->busy(false);  // the youngest again
  const auto four = admit(4);
  EXPECT_TRUE(four);
  EXPECT_EQ(dropped, std::vector{2});
}

TEST_F(VisitorsTest, TakeItFromTheAddressThatHoldsMost) {
  auto other = admit(1, kThere), two = admit(2), three = admit(3);
  const auto four = admit(4);
  EXPECT_EQ(dropped, std::vector{2});
}

TEST_F(VisitorsTest, NeverCloseOneThatIsBeingAnswered) {
  auto one = admit(1), two = admit(2), three = admit(3);
  one->busy(true);
  two->busy(true);
  three->busy(true);
  EXPECT_FALSE(admit(4));
  EXPECT_TRUE(dropped.empty());
  EXPECT_EQ(house.turned_away(), 1u);
}

TEST_F(VisitorsTest, CountWebSocketsApart) {
  auto one = admit(1), two = admit(2);
  EXPECT_TRUE(one->become_web_socket());
  EXPECT_FALSE(two->become_web_socket());
  EXPECT_EQ(house.connections(), 1u);
  one.reset();
  EXPECT_TRUE(two->become_web_socket());
}

TEST_F(VisitorsTest, DoNotGrowWhileTheDroppedAreOnTheirWayOut) {
  std::vector<std::unique_ptr<Visitors::Visit>> held;
  for (int number = 0; number < 20; ++number) {
    if (auto visit = admit(number)) held.push_back(std::move(visit));
  }
  EXPECT_LE(held.size(), 6u);
}

TEST(RateLimit, LetsABurstThroughAndThenOneAtATime) {
  RateLimit limit({.per_second = 10, .at_once = 2});
  const MonoTime start{};
  EXPECT_FALSE(limit.take("a", start));
  EXPECT_FALSE(limit.take("a", start));
  EXPECT_EQ(limit.take("a", start), Duration(100ms));
  EXPECT_FALSE(limit.take("b", start));
  EXPECT_FALSE(limit.take("a", start + 100ms));
  EXPECT_TRUE(limit.take("a", start + 101ms));
}

TEST(RateLimit, ForgetsTheOldestOfVeryMany) {
  RateLimit limit({.per_second = 1, .at_once = 1});
  for (int number = 0; number < 10'000; ++number)
    EXPECT_FALSE(limit.take(std::to_string(number), MonoTime{}));
  EXPECT_FALSE(limit.take("0", MonoTime{}));  // begins anew
  EXPECT_TRUE(limit.take("9999", MonoTime{}));
}

TEST(Head, HasWhatIsSafeUnlessAHandlerSaysOtherwise) {
  const auto head = head_of(json_answer("{}"), false, false);
  EXPECT_THAT(head, testing::StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(head, HasSubstr("Content-Length: 2\r\n"));
  EXPECT_THAT(head, HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_THAT(head, HasSubstr("Content-Security-Policy: default-src 'none'"));
  EXPECT_THAT(head, HasSubstr(" GMT\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Connection")));
}

TEST(Head, LetsNobodyBeginAFurtherField) {
  auto response = no_content();
  response.headers.emplace_back("Location", "/x\r\nSet-Cookie: a=b");
  const auto head = head_of(response, true, false);
  EXPECT_THAT(head, HasSubstr("Location: /xSet-Cookie: a=b\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("\nSet-Cookie")));
  EXPECT_THAT(head, Not(HasSubstr("Content-Length")));
  EXPECT_THAT(head, HasSubstr("Connection: close\r\n"));
}

struct TlsTest : testing::Test {
  std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "lightship-tls";
  TlsTest() {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
  }
  ~TlsTest() override { std::filesystem::remove_all(folder); }
  const Time now = std::chrono::floor<std::chrono::seconds>(SystemClock().now());
};

TEST_F(TlsTest, MakesACertificateOnceAndKeepsIt) {
  const auto made = own_certificate(folder, {"box", "localhost", "192.0.2.7"}, now);
  ASSERT_TRUE(made) << made.error().text;
  const auto first = load_tls(*made);
  ASSERT_TRUE(first) << first.error().text;
  EXPECT_EQ(first->expires, now + std::chrono::days(824));
  EXPECT_EQ(std::filesystem::status(made->key).permissions(), std::filesystem::perms(0600));
  ASSERT_TRUE(own_certificate(folder, {"box"}, now + std::chrono::days(700)));
  EXPECT_EQ(load_tls(*made)->fingerprint, first->fingerprint);
}

TEST_F(TlsTest, MakesANewOneBeforeTheOldEnds) {
  const auto made = own_certificate(folder, {"box"}, now);
  const auto first = load_tls(*made)->fingerprint;
  ASSERT_TRUE(own_certificate(folder, {"box"}, now + std::chrono::days(800)));
  EXPECT_NE(load_tls(*made)->fingerprint, first);
}

TEST_F(TlsTest, SaysWhichFileIsWrong) {
  EXPECT_THAT(load_tls({folder / "none.pem", folder / "key.pem"}).error().text,
              HasSubstr("none.pem"));
  const auto made = own_certificate(folder, {"box"}, now);
  std::filesystem::create_directories(folder / "other");
  const auto other = own_certificate(folder / "other", {"box"}, now);
  EXPECT_THAT(load_tls({made->certificate, other->key}).error().text,
              HasSubstr("other/portal-key.pem"));
  EXPECT_THAT(load_tls({made->key, made->key}).error().text, HasSubstr("is no certificate"));
}

}  // namespace
}  // namespace lightship::portal
