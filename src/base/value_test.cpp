// How numbers are written.
#include "base/value.h"

#include <gtest/gtest.h>

#include "base/json_writer.h"

namespace lightship {
namespace {

std::string number(double value, std::int8_t decimals) {
  std::string text;
  append_number(text, {value, decimals});
  return text;
}

TEST(AppendNumber, WritesFloatsByTheirShortestDecimal) {
  EXPECT_EQ(number(230.1f, Real::kShortestFloat), "230.1");
  EXPECT_EQ(number(1.401298464324817e-45, Real::kShortestFloat), "1e-45");
  EXPECT_EQ(number(3.4028234663852886e38, Real::kShortestFloat), "3.4028235e+38");
  EXPECT_EQ(number(0.1, Real::kShortest), "0.1");
  EXPECT_EQ(number(123456.789, Real::kShortest), "123456.789");
}

TEST(AppendNumber, RoundsToDecimalsAndDropsZerosAtTheEnd) {
  EXPECT_EQ(number(2301 * 0.1, 1), "230.1");
  EXPECT_EQ(number(220, 1), "220");
  EXPECT_EQ(number(-0.04, 1), "0");
  EXPECT_EQ(number(-12.3, 1), "-12.3");
  EXPECT_EQ(number(1000, 0), "1000");
}

TEST(AppendNumber, HasNoWordForNaNAndInfinity) {
  EXPECT_EQ(number(NAN, 1), "null");
  EXPECT_EQ(number(INFINITY, Real::kShortest), "null");
}

TEST(JsonWriter, NestsAndEscapes) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().member("a", "quote\" back\\ line\n bell\x07 bad\xFF");
  json.key("list").begin_array().value(1).value(true).null().end_array();
  json.key("empty").begin_object().end_object().end_object();
  EXPECT_EQ(text,
            "{\"a\":\"quote\\\" back\\\\ line\\n bell\\u0007 "
            "bad\xEF\xBF\xBD\",\"list\":[1,true,null],\"empty\":{}}");
}

}  // namespace
}  // namespace lightship
