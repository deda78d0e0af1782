// What a patch says, what it cannot say, and that whoever applies it has the same.
#include "portal/live/merge_patch.h"

#include <fstream>
#include <random>
#include <sstream>

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace lightship::portal {
namespace {

namespace json = boost::json;

json::value value(const char* text) { return json::parse(text); }

TEST(MergePatch, SaysWhatTheFileOfBothSidesSays) {
  std::ifstream file(LIGHTSHIP_SOURCE_DIR "/tests/vectors/merge_patch.json");
  std::stringstream text;
  text << file.rdbuf();
  const auto all = json::parse(text.str());
  ASSERT_GT(all.get_array().size(), 10U);
  for (const auto& one : all.get_array()) {
    const auto& before = one.at("before");
    const auto& after = one.at("after");
    const auto found = difference(before, after);
    EXPECT_TRUE(found.exact) << one.at("what");
    ASSERT_TRUE(found.patch) << one.at("what");
    EXPECT_EQ(*found.patch, one.at("patch")) << one.at("what");
    EXPECT_EQ(merged(before, *found.patch), after) << one.at("what");
  }
}

TEST(MergePatch, SaysNothingOfWhatIsTheSame) {
  const auto same = value(R"({"a":null,"b":[1,null],"c":{"d":{}}})");
  const auto found = difference(same, same);
  EXPECT_FALSE(found.patch);
  EXPECT_TRUE(found.exact);
}

TEST(MergePatch, CannotSetNullAndSaysSo) {
  const auto found = difference(value(R"({"a":1,"b":2})"), value(R"({"a":null,"b":3})"));
  EXPECT_FALSE(found.exact);
  EXPECT_EQ(*found.patch, value(R"({"b":3})"));
}

TEST(MergePatch, CannotAddAnItemWithANullInIt) {
  const auto found =
      difference(value(R"({"items":{}})"), value(R"({"items":{"a":{"n":1,"note":null}}})"));
  EXPECT_FALSE(found.exact);
  EXPECT_EQ(*found.patch, value(R"({"items":{"a":{"n":1}}})"));
}

TEST(MergePatch, CannotMakeAnObjectThatLooksLikeAnAddition) {
  EXPECT_FALSE(difference(value(R"({})"), value(R"({"a":{"append":[1]}})")).exact);
  EXPECT_FALSE(difference(value(R"({"a":[]})"), value(R"({"a":{"append":[1]}})")).exact);
  EXPECT_TRUE(difference(value(R"({"a":7})"), value(R"({"a":{"append":[1]}})")).exact);
}

TEST(MergePatch, KeepsFiveThousandOfAListWhereItDoesNotSay) {
  json::array long_one(5000, json::value(0));
  json::object patch;
  patch.emplace("append", json::array{1, 2});
  const auto longer = merged(long_one, patch);
  ASSERT_EQ(longer.get_array().size(), 5000U);
  EXPECT_EQ(longer.get_array().back(), json::value(2));
}

// Small values of every shape, with members that collide often and now and then one named "append".
json::value any(std::mt19937& dice, int depth) {
  const auto roll = [&](unsigned sides) { return static_cast<unsigned>(dice() % sides); };
  switch (roll(depth > 0 ? 7 : 4)) {
    case 0:
      return nullptr;
    case 1:
      return roll(3);
    case 2:
      return roll(2) == 0;
    case 3:
      return roll(2) == 0 ? "x" : "y";
    case 4: {
      json::array list;
      for (unsigned n = roll(5); n > 0; --n) list.push_back(any(dice, depth - 1));
      return list;
    }
    default: {
      static constexpr const char* kNames[] = {"a", "b", "c", "append", "keep"};
      json::object object;
      for (unsigned n = roll(5); n > 0; --n) object[kNames[roll(5)]] = any(dice, depth - 1);
      return object;
    }
  }
}

// What became of it a moment later: mostly the same.
json::value later(const json::value& before, std::mt19937& dice, int depth) {
  if (dice() % 8 == 0) return any(dice, depth);
  if (before.is_object()) {
    json::object after;
    for (const auto& [key, member] : before.get_object())
      if (dice() % 6 != 0) after.emplace(key, later(member, dice, depth - 1));
    return after;
  }
  if (before.is_array() && dice() % 2 == 0) {
    auto after = before.get_array();
    after.push_back(any(dice, 1));
    if (dice() % 2 == 0) after.erase(after.begin());
    return after;
  }
  return before;
}

TEST(MergePatch, GivesTheSameToWhoAppliesItWheneverItSaysItIsExact) {
  std::mt19937 dice(7);
  int exact = 0, inexact = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto before = any(dice, 4);
    if (!before.is_object()) before = json::object{{"a", before}};
    auto after = later(before, dice, 4);
    if (after.is_null()) continue;
    const auto found = difference(before, after);
    const auto got = found.patch ? merged(before, *found.patch) : before;
    ++(found.exact ? exact : inexact);
    if (found.exact) {
      ASSERT_EQ(got, after) << before << " -> " << after;
      ASSERT_EQ(found.patch.has_value(), before != after);
    } else {
      ASSERT_NE(got, after) << before << " -> " << after;
      // Told once, it is not told again: what is left is what no patch can say.
      const auto rest = difference(got, after);
      ASSERT_FALSE(rest.exact) << before << " -> " << after;
    }
  }
  EXPECT_GT(exact, 5'000);
  EXPECT_GT(inexact, 500);
}

}  // namespace
}  // namespace lightship::portal
