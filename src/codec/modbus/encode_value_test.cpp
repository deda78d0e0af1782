// Values -> registers, checked by the way back.
#include <cmath>

#include <gtest/gtest.h>

#include "codec/modbus/decode_value.h"
#include "codec/modbus/words.h"

namespace lightship::modbus {
namespace {

using Words = std::vector<std::uint16_t>;

TEST(EncodeValue, RefusesWhatDoesNotFit) {
  EXPECT_FALSE(encode_value({.type = DataType::int16}, std::int64_t{32768}));
  EXPECT_FALSE(encode_value({.type = DataType::uint16}, std::int64_t{-1}));
  EXPECT_FALSE(encode_value({.type = DataType::bcd16}, std::uint64_t{10000}));
  EXPECT_FALSE(encode_value({.type = DataType::float16}, Real{70000}));
  EXPECT_FALSE(encode_value({.type = DataType::float32}, Real{1e39}));
  EXPECT_FALSE(encode_value({.type = DataType::uint16}, Real{std::nan("")}));
  EXPECT_FALSE(encode_value({.type = DataType::uint16}, std::monostate()));
  EXPECT_FALSE(encode_value({.type = DataType::uint16}, "many"));
  EXPECT_FALSE(encode_value({.type = DataType::string, .count = 1}, "ABC"));
  EXPECT_FALSE(encode_value({.type = DataType::boolean}, std::int64_t{2}));
  EXPECT_FALSE(encode_value({.type = DataType::bit}, true));
  EXPECT_FALSE(encode_value({.type = DataType::pf4q}, Real{1.5}));
  EXPECT_EQ(encode_value({.type = DataType::uint16}, std::int64_t{65536}).error().text,
            "65536 does not fit uint16");
}

TEST(EncodeValue, RefusesWhatIsOutsideItsRange) {
  const PointSpec setpoint{.type = DataType::uint16, .min = 0, .max = 90};
  EXPECT_TRUE(encode_value(setpoint, std::int64_t{90}));
  EXPECT_EQ(encode_value(setpoint, std::int64_t{95}).error().text, "95 is outside 0..90");
  EXPECT_FALSE(encode_value({.type = DataType::float32, .min = 0}, Real{std::nan("")}));
  EXPECT_TRUE(encode_value({.type = DataType::float32}, Real{std::nan("")}));
}

TEST(EncodeValue, RoundsToTheStepOfTheScale) {
  const PointSpec spec{.type = DataType::int16, .scale = 0.1, .offset = -40};
  EXPECT_EQ(encode_value(spec, Real{23.14}), (Words{631}));
  EXPECT_EQ(encode_value({.type = DataType::uint16}, Real{230}, std::int16_t{-1}), (Words{2300}));
}

TEST(EncodeValue, WritesNames) {
  const PointSpec spec{.type = DataType::enum16, .names = {{4, "mppt"}}};
  EXPECT_EQ(encode_value(spec, "mppt"), (Words{4}));
  const PointSpec negative{.type = DataType::int16, .names = {{~0ull, "lost"}}};
  EXPECT_EQ(encode_value(negative, "lost"), (Words{0xFFFF}));
}

TEST(EncodeValue, OfEveryTypeDecodesToItself) {
  struct Case {
    DataType type;
    Value value;
    std::uint16_t count = 1;
  };
  const std::vector<Case> cases{
      {DataType::boolean, true},
      {DataType::int16, std::int64_t{-32768}},
      {DataType::uint16, std::uint64_t{65535}},
      {DataType::int32, std::int64_t{-123456789}},
      {DataType::uint32, std::uint64_t{4294967295}},
      {DataType::int64, std::int64_t{-9007199254740993}},
      {DataType::uint64, std::uint64_t{18446744073709551615u}},
      {DataType::float16, Real{1.5, Real::kShortestFloat}},
      {DataType::float32, Real{230.25, Real::kShortestFloat}},
      {DataType::float64, Real{123456.789}},
      {DataType::signmag16, std::int64_t{-996}},
      {DataType::bcd16, std::uint64_t{1234}},
      {DataType::bcd32, std::uint64_t{12345678}},
      {DataType::mod10k, std::uint64_t{4000300020001}, 4},
      {DataType::acc32, std::uint64_t{7}},
      {DataType::enum16, std::uint64_t{9}},
      {DataType::bitfield32, std::uint64_t{0x80000001}},
      {DataType::sunssf, std::int64_t{-2}},
      {DataType::pf4q, Real{-0.75, Real::kShortestFloat}},
      {DataType::string, "Acme PM-1", 6},
  };
  for (const auto& c : cases) {
    for (const auto order :
         {ByteOrder::big, ByteOrder::little, ByteOrder::big_swap, ByteOrder::little_swap}) {
      const PointSpec spec{.type = c.type, .order = order, .count = c.count};
      const auto words = encode_value(spec, c.value);
      ASSERT_TRUE(words) << name(c.type) << ": " << words.error().text;
      EXPECT_EQ(words->size(), registers_of(spec));
      EXPECT_EQ(decode(spec, *words).value, c.value) << name(c.type);
    }
  }
}

TEST(EncodeValue, PutsCharactersWhereTheyAreRead) {
  for (const auto chars : {Chars::both, Chars::swapped, Chars::low, Chars::high}) {
    const PointSpec spec{.type = DataType::string, .count = 4, .chars = chars};
    EXPECT_EQ(decode(spec, *encode_value(spec, "ABC")).value, Value("ABC"));
  }
}

}  // namespace
}  // namespace lightship::modbus
