// The recorded decodings, and what must never pass for a measurement.
#include "codec/modbus/decode_value.h"

#include <cmath>

#include <gtest/gtest.h>

#include "codec/modbus/power_factor.h"
#include "codec/modbus/vectors_for_test.h"

namespace lightship::modbus {
namespace {

PointSpec spec_of(const boost::json::value& entry, std::size_t registers) {
  const auto& object = entry.as_object();
  PointSpec spec;
  spec.type = *parse_data_type(text_of(entry, "type"));
  if (const auto order = text_of(entry, "order"); !order.empty())
    spec.order = *parse_byte_order(order);
  spec.count = static_cast<std::uint16_t>(registers);
  const auto number = [&](std::string_view key, double otherwise) {
    const auto* found = object.if_contains(key);
    return found != nullptr ? found->to_number<double>() : otherwise;
  };
  spec.scale = number("scale", 1);
  spec.offset = number("offset", 0);
  spec.decimals = decimals_of(spec.scale, spec.offset);
  spec.bit = static_cast<std::uint8_t>(number("bit", 0));
  spec.shift = static_cast<std::uint8_t>(number("shift", 0));
  spec.width = static_cast<std::uint8_t>(number("width", 0));
  if (const auto chars = parse_chars(text_of(entry, "chars"))) spec.chars = *chars;
  if (const auto* marks = object.if_contains("not_available")) {
    for (const auto& mark : marks->as_array())
      spec.not_available.push_back(hex(std::string(mark.as_string())));
  }
  if (const auto* names = object.if_contains("enum")) {
    for (const auto& [key, text] : names->as_object()) {
      spec.names[std::stoull(std::string(key))] = std::string(text.as_string());
    }
  }
  return spec;
}

// As the vectors write it.
std::string written(const PointSpec& spec, const Decoded& decoded,
                    const std::vector<std::uint16_t>& registers) {
  if (spec.type == DataType::pf4q) {
    const auto raw = decode(PointSpec{.type = DataType::float32, .order = spec.order}, registers);
    return fmt::format("{} {}", to_text(decoded.value),
                       to_string(power_factor(as_double(raw.value))->side));
  }
  if (!has_value(decoded.value))
    return to_string(decoded.why) == "not_available" ? "not available" : "invalid";
  if (const auto* truth = std::get_if<bool>(&decoded.value)) return *truth ? "1" : "0";
  return to_text(decoded.value);
}

TEST(DecodeVectors, MeanWhatTheyMeantToThePeers) {
  int count = 0;
  for (const auto& entry : vectors().at("decodings").as_array()) {
    SCOPED_TRACE(text_of(entry, "id"));
    ++count;
    std::vector<std::uint16_t> registers;
    for (const auto& text : entry.at("registers").as_array()) {
      registers.push_back(load_u16(hex(std::string(text.as_string())).data()));
    }
    std::optional<std::int16_t> power;
    std::size_t own = registers.size();
    if (entry.as_object().contains("scale_register")) {
      power = static_cast<std::int16_t>(registers[1]);
      own = 1;
    }
    const auto spec = spec_of(entry, own);
    const auto decoded = decode(spec, registers, power);
    const auto text = written(spec, decoded, registers);
    const auto expected = text_of(entry, "value");
    if (expected == "invalid" || expected == "not available") {  // an invalid BCD is no value
      EXPECT_FALSE(has_value(decoded.value));
      EXPECT_EQ(decoded.why, Why::not_available);
      continue;
    }
    const bool finite = expected != "NaN" && expected != "Infinity" && expected != "-Infinity";
    EXPECT_EQ(decoded.why, finite ? Why::none : Why::not_available);
    const double number = as_double(decoded.value);
    if (finite && !std::isnan(number) && expected != "-0") {
      const double wanted = std::stod(expected);
      EXPECT_LE(std::fabs(number - wanted), std::fabs(wanted) * 1e-12) << text;
      if (!std::holds_alternative<Real>(decoded.value) &&
          !std::holds_alternative<bool>(decoded.value)) {
        EXPECT_EQ(text, expected);  // all digits
      }
      if (spec.type == DataType::pf4q) EXPECT_EQ(text, expected);
    } else {
      EXPECT_EQ(text, expected);
    }
  }
  EXPECT_EQ(count, 92);
}

Decoded decoded(const PointSpec& spec, std::vector<std::uint16_t> registers) {
  return decode(spec, registers);
}

TEST(DecodeValue, WithTooFewRegistersIsInvalid) {
  EXPECT_EQ(decoded({.type = DataType::float32}, {0x4366}).why, Why::invalid);
  EXPECT_EQ(decoded({.type = DataType::string, .count = 3}, {0x4142}).why, Why::invalid);
  EXPECT_EQ(decoded({.type = DataType::mod10k}, {1}).why, Why::invalid);
  EXPECT_EQ(decoded({.type = DataType::uint16}, {}).why, Why::invalid);
}

TEST(DecodeValue, ScaledIntegersHaveNoBinaryNoise) {
  PointSpec spec{.type = DataType::uint16, .scale = 0.1};
  EXPECT_EQ(decoded(spec, {2301}).value, Value(Real{230.1, 1}));
  spec = {.type = DataType::uint32, .scale = 0.001, .decimals = 3};
  for (std::uint32_t raw = 0; raw < 100000; raw += 7) {
    const auto value = decode(
        spec, std::array{static_cast<std::uint16_t>(raw >> 16), static_cast<std::uint16_t>(raw)});
    ASSERT_EQ(to_text(value.value),
              to_text(Real{std::stod(fmt::format("{}.{:03}", raw / 1000, raw % 1000)), 3}));
  }
}

TEST(DecodeValue, LargeScaledCountersKeepTheirDigits) {
  const PointSpec spec{.type = DataType::uint64, .scale = 0.01};
  EXPECT_EQ(to_text(decoded(spec, {0x0000, 0x7048, 0x860D, 0xDF79}).value), "1234567890123.45");
}

TEST(DecodeValue, ScaledFloatsStayAsShortAsTheyWere) {
  // 1.5234 kW and 300.15 K.
  EXPECT_EQ(to_text(decoded({.type = DataType::float32, .scale = 1000}, {0x3FC2, 0xFEC5}).value),
            "1523.4");
  EXPECT_EQ(
      to_text(decoded({.type = DataType::float32, .offset = -273.15}, {0x4396, 0x1333}).value),
      "27");
}

TEST(DecodeValue, ScaledBeyondAllNumbersIsNone) {
  const PointSpec spec{.type = DataType::float64, .scale = 10};
  EXPECT_EQ(decoded(spec, {0x7FEF, 0xFFFF, 0xFFFF, 0xFFFF}).why, Why::not_available);
}

TEST(DecodeValue, FollowsAPowerOfTen) {
  const PointSpec spec{.type = DataType::int16};
  const std::vector<std::uint16_t> raw{0xFF85};
  EXPECT_EQ(to_text(decode(spec, raw, std::int16_t{-2}).value), "-1.23");
  EXPECT_EQ(to_text(decode(spec, raw, std::int16_t{3}).value), "-123000");
  EXPECT_EQ(to_text(decode(spec, raw, std::int16_t{0}).value), "-123");
  EXPECT_EQ(decode(spec, raw, std::int16_t{-32768}).why, Why::invalid);
}

TEST(DecodeValue, KeepsSignedTypesSigned) {
  EXPECT_TRUE(std::holds_alternative<std::int64_t>(decoded({.type = DataType::int16}, {5}).value));
  EXPECT_TRUE(
      std::holds_alternative<std::uint64_t>(decoded({.type = DataType::uint16}, {5}).value));
}

TEST(DecodeValue, MarksAreComparedInTheOrderOfTheValue) {
  PointSpec spec{.type = DataType::float32,
                 .order = ByteOrder::little_swap,
                 .not_available = {hex("7F7FFFFF")}};
  EXPECT_EQ(decoded(spec, {0xFFFF, 0x7F7F}).why, Why::not_available);
  EXPECT_EQ(decoded(spec, {0x7F7F, 0xFFFF}).why, Why::not_available);  // by being a NaN: FFFF 7F7F
  spec = {.type = DataType::int16, .not_available = {hex("8000"), hex("7FFF")}};
  EXPECT_FALSE(has_value(decoded(spec, {0x7FFF}).value));
  EXPECT_TRUE(has_value(decoded(spec, {0x7FFE}).value));
  spec = {.type = DataType::uint8l, .not_available = {hex("FF")}};
  EXPECT_EQ(decoded(spec, {0x12FF}).why, Why::not_available);
  spec = {.type = DataType::string, .count = 2, .not_available = {hex("00")}};
  EXPECT_EQ(decoded(spec, {0, 0}).why, Why::not_available);
  EXPECT_EQ(decoded(spec, {0, 1}).why, Why::none);
}

TEST(DecodeValue, OutsideItsRangeIsKeptButBad) {
  const PointSpec spec{.type = DataType::uint16, .scale = 0.1, .min = 0, .max = 300};
  EXPECT_EQ(decoded(spec, {3000}).why, Why::none);
  const auto high = decoded(spec, {3001});
  EXPECT_EQ(high.why, Why::out_of_range);
  EXPECT_EQ(to_text(high.value), "300.1");
}

TEST(DecodeValue, NamesAlsoNegativeNumbersAndTruths) {
  const PointSpec spec{.type = DataType::int16, .names = {{~0ull, "lost"}, {1, "on"}}};
  EXPECT_EQ(decoded(spec, {0xFFFF}).value, Value("lost"));
  EXPECT_EQ(decoded(spec, {0xFFFE}).value, Value(std::int64_t{-2}));
  EXPECT_EQ(decoded({.type = DataType::bit, .bit = 3, .names = {{1, "open"}}}, {8}).value,
            Value("open"));
}

TEST(DecodeValue, InvalidDigitsAreNoValue) {
  EXPECT_EQ(decoded({.type = DataType::bcd16}, {0x9A99}).why, Why::not_available);
  EXPECT_EQ(decoded({.type = DataType::bcd32}, {0x9999, 0x999F}).why, Why::not_available);
  EXPECT_EQ(decoded({.type = DataType::mod10k, .count = 2}, {1, 10000}).why, Why::not_available);
}

TEST(DecodeValue, TextStaysValid) {
  EXPECT_EQ(decoded({.type = DataType::string, .count = 2}, {0x41B0, 0x4300}).value,
            Value("A\uFFFDC"));
  EXPECT_EQ(decoded({.type = DataType::string, .count = 2}, {0x41C3, 0xA400}).value,
            Value("A\u00E4"));
  EXPECT_EQ(decoded({.type = DataType::string, .count = 1}, {0x2020}).value, Value(""));
}

TEST(DecodeValue, UnfoldsTheFourQuadrants) {
  EXPECT_EQ(to_text(decoded({.type = DataType::pf4q}, {0x3F86, 0x6666}).value), "0.95");  // 1.05
  EXPECT_EQ(decoded({.type = DataType::pf4q}, {0x4040, 0x0000}).why, Why::out_of_range);  // 3
  EXPECT_EQ(decoded({.type = DataType::pf4q}, {0x7FC0, 0x0000}).why, Why::not_available);
}

TEST(DecimalsOf, CountsWhatIsWritten) {
  EXPECT_EQ(decimals_of("0.1"), 1);
  EXPECT_EQ(decimals_of("0.25"), 2);
  EXPECT_EQ(decimals_of("-40"), 0);
  EXPECT_EQ(decimals_of("0.10"), 1);
  EXPECT_EQ(decimals_of("1e-3"), 3);
  EXPECT_EQ(decimals_of("1.5e-3"), 4);
  EXPECT_EQ(decimals_of("1.5E+3"), 0);
  EXPECT_EQ(decimals_of("x"), Real::kShortest);
  EXPECT_EQ(decimals_of("1e-30"), Real::kShortest);
  EXPECT_EQ(decimals_of("1e999999999999"), Real::kShortest);
  EXPECT_EQ(decimals_of(0.1), 1);
  EXPECT_EQ(decimals_of(1.0 / 3), 16);
  EXPECT_EQ(decimals_of(0.1, -40.25), 2);
}

}  // namespace
}  // namespace lightship::modbus
