// Names, sizes and byte orders, and the registers they shuffle.
#include "codec/modbus/data_type.h"

#include <gtest/gtest.h>

#include "codec/modbus/words.h"

namespace lightship::modbus {
namespace {

TEST(DataType, HasTheNamesOfTheContract) {
  EXPECT_EQ(data_type_names().size(), 26u);
  for (const auto& text : data_type_names()) {
    const auto type = parse_data_type(text);
    ASSERT_TRUE(type) << text;
    EXPECT_EQ(name(*type), text);
  }
  EXPECT_EQ(parse_data_type("bool"), DataType::boolean);
  EXPECT_FALSE(parse_data_type("boolean"));
  EXPECT_FALSE(parse_data_type("Float32"));
}

TEST(DataType, KnowsItsRegisters) {
  EXPECT_EQ(registers_of(DataType::float64), 4);
  EXPECT_EQ(registers_of(DataType::string), 0);
  EXPECT_FALSE(allows_count(DataType::float32, 1));
  EXPECT_FALSE(allows_count(DataType::string, 0));
  EXPECT_FALSE(allows_count(DataType::string, 126));
  EXPECT_EQ(allowed_counts(DataType::float32), "2");
  EXPECT_EQ(allowed_counts(DataType::bits), "1 or 2");
  EXPECT_EQ(allowed_counts(DataType::mod10k), "2 to 4");
}

TEST(ByteOrder, IsReadByNameAndByLetters) {
  EXPECT_EQ(parse_byte_order("little_swap"), ByteOrder::little_swap);
  EXPECT_EQ(parse_byte_order("CDAB"), ByteOrder::little_swap);
  EXPECT_EQ(parse_byte_order("abcd"), ByteOrder::big);
  EXPECT_EQ(parse_byte_order("BADCFEHG"), ByteOrder::big_swap);
  EXPECT_EQ(letters(ByteOrder::little_swap, 2), "CDAB");
  EXPECT_EQ(letters(ByteOrder::little, 4), "HGFEDCBA");
  EXPECT_EQ(parse_byte_order("ACBD").error().code, Errc::invalid);
  for (const auto& text : byte_order_names()) EXPECT_EQ(name(*parse_byte_order(text)), text);
}

TEST(Words, ScatterUndoesGather) {
  for (const auto order :
       {ByteOrder::big, ByteOrder::little, ByteOrder::big_swap, ByteOrder::little_swap}) {
    EXPECT_EQ(gather(scatter(0x0123456789ABCDEF, 4, order), order), 0x0123456789ABCDEF);
    EXPECT_EQ(gather(scatter(0x1234, 1, order), order), 0x1234u);
  }
}

TEST(Half, EveryOneSurvivesTheWayThroughAFloat) {
  for (unsigned half = 0; half < 0x10000; ++half) {
    const float value = from_half(static_cast<std::uint16_t>(half));
    if (value != value) continue;
    ASSERT_EQ(to_half(value), half);
  }
  EXPECT_EQ(to_half(65519), 0x7BFF);
  EXPECT_EQ(to_half(65520), 0x7C00);
  EXPECT_EQ(to_half(1e-9f), 0);
}

}  // namespace
}  // namespace lightship::modbus
