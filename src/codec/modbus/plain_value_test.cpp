// The short way and the long way say the same, for every type and byte order.
#include "codec/modbus/plain_value.h"

#include <random>

#include <gtest/gtest.h>

namespace lightship::modbus {
namespace {

constexpr ByteOrder kOrders[] = {ByteOrder::big, ByteOrder::little, ByteOrder::big_swap,
                                 ByteOrder::little_swap};

std::vector<PointSpec> specs_of_every_type() {
  std::vector<PointSpec> specs;
  for (const auto& name : data_type_names()) {
    for (const auto order : kOrders) {
      PointSpec spec;
      spec.type = *parse_data_type(name);
      spec.order = order;
      spec.count = 2;
      specs.push_back(spec);
    }
  }
  return specs;
}

// NaN is not equal to itself, and both ways shall keep it.
std::string told(const Value& value, bool usable) {
  return fmt::format("{} {} {}", value.index(), to_text(value), usable);
}

TEST(PlainValue, SaysWhatTheLongWaySaysOfAnyRegisters) {
  std::mt19937 random(7);
  // Numbers beside the borders are rare among random ones.
  const std::uint16_t borders[] = {0, 1, 0x7F80, 0x7F7F, 0x7FC0, 0x7FFF, 0x8000, 0xFF80, 0xFFFF};
  int compared = 0;
  for (const auto& spec : specs_of_every_type()) {
    const PlainValue plain(spec);
    if (!plain) continue;
    Value value;  // one for all, as the poller has it
    for (int round = 0; round < 2000; ++round) {
      std::uint16_t words[2];
      for (auto& word : words)
        word = static_cast<std::uint16_t>(round % 2 == 0 ? random()
                                                         : borders[random() % std::size(borders)]);
      ByteVector bytes;
      for (const auto word : words) put_u16(bytes, word);
      const auto slow = decode(spec, words);
      const bool usable = plain.decode(bytes.data(), value);
      ASSERT_EQ(told(value, usable), told(slow.value, slow.why == Why::none))
          << name(spec.type) << " " << name(spec.order)
          << fmt::format(" {:04X} {:04X}", words[0], words[1]);
      if (const auto* real = std::get_if<Real>(&value)) {
        ASSERT_EQ(real->decimals, std::get<Real>(slow.value).decimals);
      }
      ++compared;
    }
  }
  EXPECT_EQ(compared, 9 * 4 * 2000);
}

TEST(PlainValue, IsNotForWhatNeedsMoreThanItsRegisters) {
  EXPECT_TRUE(PlainValue(PointSpec{.type = DataType::float32}));
  EXPECT_FALSE(PlainValue());
  EXPECT_FALSE(PlainValue(PointSpec{.type = DataType::float32, .scale = 10}));
  EXPECT_FALSE(PlainValue(PointSpec{.type = DataType::float32, .offset = 1}));
  EXPECT_FALSE(PlainValue(PointSpec{.type = DataType::float32, .min = 0.0}));
  EXPECT_FALSE(PlainValue(PointSpec{.type = DataType::float32, .max = 0.0}));
  EXPECT_FALSE(PlainValue(PointSpec{.type = DataType::uint16, .not_available = {{0xFF, 0xFF}}}));
  EXPECT_FALSE(PlainValue(PointSpec{.type = DataType::enum16, .names = {{1, "on"}}}));
  EXPECT_FALSE(PlainValue(PointSpec{.type = DataType::bits, .count = 1, .width = 3}));
  EXPECT_FALSE(PlainValue(PointSpec{.type = DataType::string, .count = 2}));
}

TEST(PlainValue, TakesThePlaceOfAnyValue) {
  const std::uint8_t bytes[] = {0x43, 0x66, 0x80, 0x00};
  Value value = std::string("a text that is too long to lie in the object");
  EXPECT_TRUE(PlainValue(PointSpec{.type = DataType::float32}).decode(bytes, value));
  EXPECT_EQ(value, Value(Real{230.5, Real::kShortestFloat}));
}

}  // namespace
}  // namespace lightship::modbus
