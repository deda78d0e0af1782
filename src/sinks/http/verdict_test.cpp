// What each answer means.
#include "sinks/http/verdict.h"

#include <gtest/gtest.h>

namespace lightship::http {
namespace {

using namespace std::chrono_literals;

Result<link::HttpAnswer> answer(int status, std::string body = {}) {
  link::HttpAnswer made;
  made.status = status;
  made.body = std::move(body);
  return made;
}

// 1994-11-06T08:49:07Z: half a minute before the dates of RFC 9110.
constexpr Time kNow = std::chrono::sys_days(std::chrono::year(1994) / 11 / 6) + 8h + 49min + 7s;

TEST(HttpVerdict, TakesEvery2xxForAnAcknowledgement) {
  for (const int status : {200, 201, 202, 204, 207, 299})
    EXPECT_EQ(judge(answer(status), 1), Verdict::delivered) << status;
}

TEST(HttpVerdict, TriesAgainWhatTimeMayHeal) {
  for (const int status : {408, 425, 429, 500, 501, 502, 503, 504, 507, 599})
    EXPECT_EQ(judge(answer(status), 1), Verdict::retry) << status;
  for (const int status : {500, 503, 429})
    EXPECT_EQ(judge(answer(status), 50), Verdict::retry) << status;
}

TEST(HttpVerdict, TriesAgainWhereThereWasNoAnswer) {
  for (const auto code : {Errc::timeout, Errc::closed, Errc::unavailable, Errc::malformed,
                          Errc::invalid, Errc::cancelled})
    EXPECT_EQ(judge(std::unexpected(Error{code, "", 0}), 1), Verdict::retry);
}

TEST(HttpVerdict, DoesNotBlameAMessageForCredentialsOrTheUrl) {
  for (const int status : {301, 302, 307, 308, 401, 403, 404, 405, 407, 410}) {
    EXPECT_EQ(judge(answer(status), 1), Verdict::refused) << status;
    EXPECT_EQ(judge(answer(status), 9), Verdict::refused) << status;
  }
  EXPECT_EQ(judge(std::unexpected(Error{Errc::refused, "", 407}), 1), Verdict::refused);
  EXPECT_EQ(judge(std::unexpected(Error{Errc::refused, "", 502}), 1), Verdict::retry);
}

TEST(HttpVerdict, BlamesTheMessagesForARefusalOfAUrlThatWasMadeForThem) {
  for (const int status : {403, 404, 405, 410, 451}) {
    EXPECT_EQ(judge(answer(status), 1, Url::of_device), Verdict::set_aside) << status;
    EXPECT_EQ(judge(answer(status), 9, Url::of_device), Verdict::set_aside) << status;
    EXPECT_EQ(judge(answer(status), 9, Url::shared), Verdict::refused) << status;
  }
  for (const int status : {301, 401, 402, 407, 421, 426})
    EXPECT_EQ(judge(answer(status), 1, Url::of_device), Verdict::refused) << status;
}

TEST(HttpVerdict, SetsAsideAMessageThatWillNeverBeTaken) {
  for (const int status : {400, 406, 409, 411, 413, 414, 415, 418, 422, 431, 499})
    EXPECT_EQ(judge(answer(status), 1), Verdict::set_aside) << status;
}

TEST(HttpVerdict, LooksForTheGuiltyOneInABatch) {
  for (const int status : {400, 413, 422}) EXPECT_EQ(judge(answer(status), 2), Verdict::split);
}

TEST(HttpReason, IsTheStatusAndTheStartOfTheAnswerOnOneLine) {
  EXPECT_EQ(reason_of(answer(422, "{\n  \"error\": \"no such device\"\n}\n")),
            R"(HTTP 422: { "error": "no such device" })");
  EXPECT_EQ(reason_of(answer(500)), "HTTP 500");
  EXPECT_EQ(reason_of(answer(400, "abcdefghij"), 4), "HTTP 400: abcd...");
  EXPECT_EQ(reason_of(answer(400,
                             "a\x01\xff\xfe\x7f"
                             "b")),
            "HTTP 400: a b");
  EXPECT_EQ(reason_of(std::unexpected(Error{Errc::timeout, "no answer within 30 s", 0})),
            "no answer within 30 s");
}

TEST(HttpReason, NamesWhereARedirectLeadsWithoutItsSecrets) {
  auto moved = answer(301);
  moved->location = "https://user:secret@new.example:8443/v1?token=abc";
  EXPECT_EQ(reason_of(moved), "HTTP 301 to https://new.example:8443");
}

TEST(RetryAfter, MayBeSeconds) {
  EXPECT_EQ(parse_retry_after("120", kNow), Duration(120s));
  EXPECT_EQ(parse_retry_after(" 0 ", kNow), Duration(0s));
}

TEST(RetryAfter, MayBeADateInEachOfThreeForms) {
  for (const char* date : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov  6 08:49:37 1994"})
    EXPECT_EQ(parse_retry_after(date, kNow), Duration(30s)) << date;
}

TEST(RetryAfter, OfThePastMeansNow) {
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", kNow), Duration(0s));
  EXPECT_EQ(parse_retry_after("Wednesday, 01-Jan-70 00:00:00 GMT", kNow), Duration(0s));
}

TEST(RetryAfter, IsBounded) {
  EXPECT_EQ(parse_retry_after("86400", kNow), kMostRetryAfter);
  EXPECT_EQ(parse_retry_after("99999999999999999999", kNow), kMostRetryAfter);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 2094 08:49:37 GMT", kNow), kMostRetryAfter);
}

TEST(RetryAfter, ThatIsNeitherIsPassedOver) {
  for (const char* text : {"", "soon", "-5", "1.5", "Sun, 31 Feb 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET"})
    EXPECT_EQ(parse_retry_after(text, kNow), std::nullopt) << text;
}

}  // namespace
}  // namespace lightship::http
