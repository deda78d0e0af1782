// Values -> registers, checked by the way back.
#include <cmath>

#include <gtest/gtest.h>

#include "codec/modbus/encode_value.h"
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

TEST(LayOut, LeavesTheOtherBitsOfTheRegisterAlone) {
  const auto bit = lay_out({.type = DataType::bit, .bit = 3}, true);
  ASSERT_TRUE(bit);
  EXPECT_EQ(bit->mask, (Words{0x0008}));
  EXPECT_EQ(bit->over(Words{0xF0F0}), (Words{0xF0F8}));
  const auto high = lay_out({.type = DataType::int8h}, std::int64_t{-2});
  ASSERT_TRUE(high);
  EXPECT_EQ(high->over(Words{0x1234}), (Words{0xFE34}));
  const auto bits =
      lay_out({.type = DataType::bits, .count = 2, .shift = 12, .width = 8}, std::uint64_t{0xAB});
  ASSERT_TRUE(bits);
  EXPECT_EQ(bits->mask, (Words{0x000F, 0xF000}));
  EXPECT_EQ(bits->over(Words{0x1111, 0x2222}), (Words{0x111A, 0xB222}));
}

TEST(LayOut, KnowsItsValueAgainWhateverStandsBesideIt) {
  const auto bit = lay_out({.type = DataType::bit, .bit = 3}, false);
  ASSERT_TRUE(bit);
  EXPECT_TRUE(bit->is_in(Words{0xFFF7}));
  EXPECT_FALSE(bit->is_in(Words{0x0008}));
  EXPECT_FALSE(bit->is_in(Words{}));
}

TEST(LayOut, RefusesWhatDoesNotFitItsBits) {
  EXPECT_FALSE(lay_out({.type = DataType::bits, .shift = 4, .width = 3}, std::uint64_t{8}));
  EXPECT_FALSE(lay_out({.type = DataType::bits, .shift = 16, .width = 3}, std::uint64_t{0}));
  EXPECT_FALSE(lay_out({.type = DataType::uint8l}, std::int64_t{-1}));
  EXPECT_EQ(lay_out({.type = DataType::int8h}, std::int64_t{128}).error().text,
            "128 does not fit int8h, which holds -128 to 127");
  EXPECT_FALSE(lay_out({.type = DataType::bit}, std::int64_t{2}));
}

TEST(LayOut, WritesNamesOfBits) {
  const PointSpec mode{.type = DataType::bits, .shift = 4, .width = 2, .names = {{2, "auto"}}};
  ASSERT_TRUE(lay_out(mode, "auto"));
  EXPECT_EQ(lay_out(mode, "auto")->over(Words{0}), (Words{0x0020}));
  const PointSpec valve{.type = DataType::bit, .names = {{0, "closed"}, {1, "open"}}};
  ASSERT_TRUE(lay_out(valve, "open"));
  EXPECT_EQ(lay_out(valve, "open")->values, (Words{1}));
}

// Whatever the registers held before, what was laid into them is what is read of them.
TEST(LayOut, OfRandomValuesOfEveryTypeAndOrderDecodesToThem) {
  std::uint64_t state = 20260104;
  const auto dice = [&] {  // splitmix64
    std::uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  };
  int laid = 0;
  for (int round = 0; round < 200; ++round) {
    for (const auto& type_name : data_type_names()) {
      PointSpec spec{.type = *parse_data_type(type_name)};
      spec.order = static_cast<ByteOrder>(dice() % 4);
      spec.count = registers_of(spec.type);
      if (spec.type == DataType::mod10k) spec.count = static_cast<std::uint16_t>(2 + dice() % 3);
      if (spec.type == DataType::string) spec.count = static_cast<std::uint16_t>(1 + dice() % 8);
      if (spec.type == DataType::bits) spec.count = static_cast<std::uint16_t>(1 + dice() % 2);
      spec.bit = dice() % 16;
      spec.shift = static_cast<std::uint8_t>(dice() % (16 * spec.count));
      spec.width = static_cast<std::uint8_t>(dice() % 17);
      // Longer ones have more digits than a double, which a scaled value is.
      if (is_integer(spec.type) && registers_of(spec) <= 3 && dice() % 2 == 0) {
        spec.scale = 0.1;
        spec.offset = -40;
      }
      Words before(registers_of(spec));
      for (auto& word : before) word = static_cast<std::uint16_t>(dice());
      // A value that the type can hold: what these registers say, where they say something.
      Words source(before.size());
      for (auto& word : source) word = static_cast<std::uint16_t>(dice());
      if (spec.type == DataType::mod10k)
        for (auto& word : source) word %= 10000;
      if (spec.type == DataType::bcd16 || spec.type == DataType::bcd32)
        for (auto& word : source) word &= 0x7777;
      if (spec.type == DataType::string)
        for (auto& word : source) word = static_cast<std::uint16_t>(0x4141 + word % 20);
      const auto said = decode(spec, source);
      if (said.why != Why::none) continue;  // a NaN, an impossible power factor
      const auto bits = lay_out(spec, said.value);
      ASSERT_TRUE(bits) << type_name << " " << to_text(said.value) << ": " << bits.error().text;
      const auto after = bits->over(before);
      if (spec.type == DataType::pf4q)  // an unfolded one is rounded
        EXPECT_NEAR(as_double(decode(spec, after).value), as_double(said.value), 1e-6);
      else
        EXPECT_EQ(decode(spec, after).value, said.value) << type_name;
      EXPECT_TRUE(bits->is_in(after)) << type_name;
      for (std::size_t at = 0; at < after.size(); ++at)
        EXPECT_EQ((after[at] ^ before[at]) & ~bits->mask[at], 0) << type_name;
      ++laid;
    }
  }
  EXPECT_GT(laid, 4000);
}

}  // namespace
}  // namespace lightship::modbus
