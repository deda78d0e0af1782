// What clients say, and what is refused.
#include "portal/live/message.h"

#include <gtest/gtest.h>

namespace lightship::portal {
namespace {

TEST(LiveMessage, SaysSeveralThingsAtOnce) {
  const auto message = read_live_message(
      R"({"subscribe":["a","b"],"unsubscribe":["c"],"resume":{"d":41},"ping":7})");
  ASSERT_TRUE(message) << message.error().text;
  EXPECT_EQ(message->subscribe, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(message->unsubscribe, std::vector<std::string>{"c"});
  ASSERT_EQ(message->resume.size(), 1U);
  EXPECT_EQ(message->resume[0].first, "d");
  EXPECT_EQ(message->resume[0].second, 41U);
  EXPECT_EQ(message->ping, 7);
}

TEST(LiveMessage, IsRefusedWithWhatWasExpected) {
  const auto why = [](std::string_view text) {
    const auto message = read_live_message(text);
    return message ? std::string("taken") : message.error().text;
  };
  EXPECT_EQ(why("[]"), "a message is a JSON object");
  EXPECT_EQ(why("{}"), "one of subscribe, unsubscribe, resume and ping was expected");
  EXPECT_EQ(why(R"({"subscribe":"a"})"), "'subscribe' is a list of topics");
  EXPECT_EQ(why(R"({"subscribe":[1]})"), "'subscribe' is a list of texts");
  EXPECT_EQ(why(R"({"subscribe":[""]})"), "the name of a topic has 1 to 256 bytes, not 0");
  EXPECT_EQ(why(R"({"resume":["a"]})"), "'resume' is an object of topic and seq");
  EXPECT_EQ(why(R"({"resume":{"a":-1}})"), "'resume' needs a whole number for 'a'");
  EXPECT_EQ(why(R"({"resume":{"a":1.5}})"), "'resume' needs a whole number for 'a'");
  EXPECT_EQ(why(R"({"ping":"now"})"), "'ping' is a whole number");
  EXPECT_TRUE(why(R"({"ping":)").starts_with("this is not JSON: "));
  std::string deep(5000, '[');
  EXPECT_TRUE(why(R"({"ping":)" + deep).starts_with("this is not JSON: "));
}

}  // namespace
}  // namespace lightship::portal
