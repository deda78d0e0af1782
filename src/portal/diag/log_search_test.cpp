// Which lines are found.
#include "portal/diag/log_search.h"

#include <gtest/gtest.h>

#include <chrono>

namespace lightship::portal {
namespace {

const LogLine kSilent{7,
                      Time{},
                      Level::warn,
                      "modbus/main-panel",
                      "device is silent",
                      R"("device":"main-panel/Meter-1","why":"no \"answer\"","n":3)"};

bool finds(LogWanted wanted) { return LogFilter::make(std::move(wanted))->keeps(kSilent); }

TEST(LogFilter, WithoutWishesKeepsEverything) { EXPECT_TRUE(finds({})); }

TEST(LogFilter, TheLevelIsThisOneAndGraver) {
  EXPECT_TRUE(finds({.least = Level::warn}));
  EXPECT_FALSE(finds({.least = Level::error}));
}

TEST(LogFilter, AComponentIsAWholeSourceOrItsFirstPart) {
  EXPECT_TRUE(finds({.component = "modbus"}));
  EXPECT_TRUE(finds({.component = "modbus/main-panel"}));
  EXPECT_FALSE(finds({.component = "mod"}));
  EXPECT_FALSE(finds({.component = "mqtt"}));
}

TEST(LogFilter, ADeviceIsAPartOfSourceOrField) {
  EXPECT_TRUE(finds({.device = "meter-1"}));
  EXPECT_TRUE(finds({.device = " MAIN-panel "}));
  EXPECT_FALSE(finds({.device = "meter-2"}));
}

TEST(LogFilter, ATextIsSearchedInEventAndFieldsWhateverItsCase) {
  EXPECT_TRUE(finds({.text = "IS SILENT"}));
  EXPECT_TRUE(finds({.text = "n=3"}));
  EXPECT_TRUE(finds({.text = "why=no \"answer\""}));
  EXPECT_FALSE(finds({.text = "silent.*n"}));
}

TEST(LogFilter, AnExpressionIsSearchedToo) {
  EXPECT_TRUE(finds({.text = "SILENT.*n=\\d$", .regex = true}));
  EXPECT_FALSE(finds({.text = "^device", .regex = true}));
}

TEST(LogFilter, WhatIsNoExpressionIsInvalidAndSaysWhy) {
  for (const char* wrong : {"(", "a{2,1}", "(?=x)", "(a)\\1", "[z-a]"}) {
    const auto made = LogFilter::make({.text = wrong, .regex = true});
    ASSERT_FALSE(made) << wrong;
    EXPECT_EQ(made.error().code, Errc::invalid);
    EXPECT_NE(made.error().text.find("RE2"), std::string::npos);
  }
  EXPECT_FALSE(LogFilter::make({.text = std::string(201, 'a')}));
}

TEST(LogFilter, AnExpressionThatExplodesElsewhereTakesNoTime) {
  LogLine line = kSilent;
  line.event = std::string(2000, 'a') + "!";
  const auto begun = steady_now();
  for (const char* bomb : {"(a+)+$", "(a|aa)+$", "(.*a){20}$", "((a*)*)*b"}) {
    const auto filter = LogFilter::make({.text = bomb, .regex = true});
    if (filter) (void)filter->keeps(line);
  }
  EXPECT_LT(steady_now() - begun, std::chrono::seconds(2));
  // Too large to be worth its memory.
  EXPECT_FALSE(LogFilter::make({.text = "((a{100}){100}){100}", .regex = true}));
}

TEST(LogFilter, AnExpressionOfTooManyStepsIsRefused) {
  for (const char* large :
       {"(.*){0,999}Q", "(a?){400}(b?){400}", "\\w{1,900}x", "\\pL{50}.{1,100}"}) {
    const auto made = LogFilter::make({.text = large, .regex = true});
    ASSERT_FALSE(made) << large;
    EXPECT_EQ(made.error().code, Errc::invalid);
    EXPECT_NE(made.error().text.find("steps"), std::string::npos) << made.error().text;
    // It was not made in full first.
    EXPECT_NE(made.error().text.find("more than the 1000"), std::string::npos);
  }
  const auto begun = steady_now();
  for (int i = 0; i < 100; ++i)
    EXPECT_FALSE(LogFilter::make({.text = "\\pL{50}.{1,100}", .regex = true}));
  EXPECT_LT(steady_now() - begun, std::chrono::seconds(2));
  EXPECT_TRUE(LogFilter::make(
      {.text = R"(^modbus/\S+ .*(silent|timeout){1,5}\s+\d{1,10}$)", .regex = true}));
}

TEST(LogLineJson, IsThatOfTheApi) {
  std::string text;
  append_json(text, kSilent);
  EXPECT_EQ(text, R"({"seq":7,"time":"1970-01-01T00:00:00.000Z","level":"warn",)"
                  R"("source":"modbus/main-panel","event":"device is silent","fields":)"
                  R"({"device":"main-panel/Meter-1","why":"no \"answer\"","n":3}})");
}

}  // namespace
}  // namespace lightship::portal
