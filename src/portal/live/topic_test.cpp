// What a topic tells to one who knows all, some or nothing.
#include "portal/live/topic.h"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include "portal/live/json_text.h"

namespace lightship::portal {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr Time kStart{1'700'000'000'000ms};
constexpr std::uint64_t kFirst = 1'700'000'000'001;

struct Told {
  LiveTopic topic{"devices", kStart};
  MonoTime mono{1h};

  bool tell(const char* text) { return topic.tell(json::parse(text), mono); }
  std::string next(std::optional<std::uint64_t> told) { return *topic.next(told).text; }
};

TEST(LiveTopic, BeginsWithASnapshotWhoseNumberNoEarlierStartHasUsed) {
  Told one;
  EXPECT_TRUE(one.tell(R"({"a":1.5,"b":null})"));
  EXPECT_EQ(
      one.next({}),
      R"({"type":"snapshot","topic":"devices","seq":1700000000001,"data":{"a":1.5,"b":null}})");
}

TEST(LiveTopic, TellsADeltaWithTheNextNumber) {
  Told one;
  one.tell(R"({"a":1,"b":230.1})");
  EXPECT_TRUE(one.tell(R"({"a":1,"b":230.2})"));
  EXPECT_EQ(one.next(kFirst),
            R"({"type":"delta","topic":"devices","seq":1700000000002,"data":{"b":230.2}})");
}

TEST(LiveTopic, SaysNothingWhenNothingHasChanged) {
  Told one;
  one.tell(R"({"a":1})");
  EXPECT_FALSE(one.tell(R"({"a":1})"));
  EXPECT_FALSE(one.topic.behind(kFirst));
}

TEST(LiveTopic, GivesOneWhoComesBackEveryDeltaHeMissed) {
  Told one;
  for (const auto* text : {R"({"a":0})", R"({"a":1})", R"({"a":2})", R"({"a":3})"}) one.tell(text);
  const auto first = one.topic.next(kFirst + 1);
  EXPECT_EQ(*first.text,
            R"({"type":"delta","topic":"devices","seq":1700000000003,"data":{"a":2}})");
  EXPECT_EQ(first.after, kFirst + 2);
  EXPECT_EQ(one.topic.next(first.after).after, kFirst + 3);
  EXPECT_FALSE(one.topic.behind(kFirst + 3));
}

TEST(LiveTopic, GivesASnapshotToOneWhoMissedMoreThanItRemembers) {
  Told one;
  for (int i = 0; i < 100; ++i) one.topic.tell(json::object{{"a", i}}, one.mono);
  const auto next = one.topic.next(kFirst);
  EXPECT_TRUE(next.snapshot);
  EXPECT_EQ(next.skipped, 99U);
  EXPECT_EQ(next.after, one.topic.seq());
  EXPECT_FALSE(one.topic.next(kFirst + 90).snapshot);
}

TEST(LiveTopic, GivesASnapshotToOneWhoKnowsANumberFromElsewhere) {
  Told one;
  one.tell(R"({"a":1})");
  EXPECT_TRUE(one.topic.next(41).snapshot);
  EXPECT_TRUE(one.topic.next(kFirst + 7).snapshot);
}

TEST(LiveTopic, TellsANullByASnapshotForAMergePatchCannot) {
  Told one;
  one.tell(R"({"a":1,"b":1})");
  EXPECT_TRUE(one.tell(R"({"a":null,"b":2})"));
  EXPECT_EQ(one.next(kFirst),
            R"({"type":"snapshot","topic":"devices","seq":1700000000002,"data":{"a":null,"b":2}})");
}

TEST(LiveTopic, TellsTheNullsOfALargeTopicOnlyAsOftenAsItsSizeAllows) {
  Told one;
  const std::string large(640 * 1024, 'x');  // ten seconds' worth
  const auto tell = [&](json::value a, int b) {
    return one.topic.tell(json::object{{"large", large}, {"a", std::move(a)}, {"b", b}}, one.mono);
  };
  tell(1, 1);
  one.next({});
  tell(nullptr, 2);
  EXPECT_TRUE(one.topic.next(kFirst).snapshot);
  tell(3, 3);
  one.mono += 9s;
  EXPECT_TRUE(tell(nullptr, 4));
  EXPECT_EQ(one.next(kFirst + 2),
            R"({"type":"delta","topic":"devices","seq":1700000000004,"data":{"b":4}})");
  one.mono += 2s;
  EXPECT_TRUE(tell(nullptr, 4));
  EXPECT_TRUE(one.topic.next(kFirst + 3).snapshot);
}

TEST(LiveTopic, GrowsByAdditionsAndKeepsTheNewestForSnapshots) {
  LiveTopic logs("logs", kStart);
  EXPECT_TRUE(logs.tell_more(json::array{1, 2, 3}, 2, 3000));
  EXPECT_EQ(*logs.next({}).text,
            R"({"type":"snapshot","topic":"logs","seq":1700000000001,"data":{"items":[2,3]}})");
  EXPECT_FALSE(logs.tell_more({}, 2, 3000));
  EXPECT_TRUE(logs.tell_more(json::array{4}, 2, 3000));
  EXPECT_EQ(
      *logs.next(kFirst).text,
      R"({"type":"delta","topic":"logs","seq":1700000000002,"data":{"items":{"append":[4],"keep":3000}}})");
  EXPECT_EQ(*logs.next({}).text,
            R"({"type":"snapshot","topic":"logs","seq":1700000000002,"data":{"items":[3,4]}})");
}

TEST(LiveTopic, HasASnapshotOfNothingYet) {
  LiveTopic logs("logs", kStart);
  EXPECT_TRUE(logs.tell_more({}, 200, 3000));
  EXPECT_EQ(*logs.next({}).text,
            R"({"type":"snapshot","topic":"logs","seq":1700000000001,"data":{"items":[]}})");
}

TEST(LiveTopic, SharesOneTextAmongAll) {
  Told one;
  one.tell(R"({"a":1})");
  EXPECT_EQ(one.topic.next({}).text, one.topic.next({}).text);
}

TEST(JsonText, WritesNumbersAsPeopleDoAndWhatIsNoneAsNull) {
  std::string out;
  append_json(out, json::array{230.1, 2301000.0, -4, json::object{}, json::array{}, "\"\n", true,
                               std::numeric_limits<double>::infinity()});
  EXPECT_EQ(out, R"([230.1,2301000,-4,{},[],"\"\n",true,null])");
}

}  // namespace
}  // namespace lightship::portal
