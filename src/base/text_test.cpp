// Likeness, identifiers and UTF-8.
#include "base/text.h"

#include <gtest/gtest.h>

namespace lightship {
namespace {

TEST(EditDistance, CountsEditsAndSwaps) {
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("baud_rate", "baudrate"), 1u);
  EXPECT_EQ(edit_distance("prot", "port"), 1u);
}

TEST(Nearest, FindsWhatWasMeantAndNothingElse) {
  const std::vector<std::string> known{"baud_rate", "parity", "stop_bits", "timeout"};
  EXPECT_EQ(nearest("baudrate", known), "baud_rate");
  EXPECT_EQ(nearest("Stop-Bits", known), "stop_bits");
  EXPECT_EQ(nearest("tiemout", known), "timeout");
  EXPECT_EQ(nearest("voltage", known), std::nullopt);
  EXPECT_EQ(nearest("", known), std::nullopt);
}

TEST(IsId, TakesWhatTopicsAndFilesCanCarry) {
  EXPECT_TRUE(is_id("meter-1"));
  EXPECT_TRUE(is_id("A.b_c"));
  for (const char* bad : {"", "-a", "a/b", "a b", "ü", "a#"}) EXPECT_FALSE(is_id(bad)) << bad;
  EXPECT_FALSE(is_id(std::string(65, 'a')));
}

TEST(StartOf, CutsNoCharacterInTwo) {
  EXPECT_EQ(start_of("Zähler", 2), "Z");
  EXPECT_EQ(start_of("Zähler", 3), "Zä");
  EXPECT_EQ(start_of("Zähler", 100), "Zähler");
  EXPECT_EQ(start_of("\x80\x80", 1), "");
}

TEST(Utf8Length, RefusesOverlongFormsAndSurrogates) {
  EXPECT_EQ(utf8_length("a"), 1u);
  EXPECT_EQ(utf8_length("°"), 2u);
  EXPECT_EQ(utf8_length("\xC0\x80"), 0u);
  EXPECT_EQ(utf8_length("\xED\xA0\x80"), 0u);
  EXPECT_EQ(utf8_length("\xF4\x90\x80\x80"), 0u);
  EXPECT_EQ(utf8_length("\xE2\x82"), 0u);
}

}  // namespace
}  // namespace lightship
