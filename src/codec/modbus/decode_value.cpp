// Registers -> values.
#include "codec/modbus/decode_value.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/text.h"
#include "codec/modbus/power_factor.h"
#include "codec/modbus/scaling.h"
#include "codec/modbus/words.h"

namespace lightship::modbus {
namespace {

using Words = std::span<const std::uint16_t>;

Decoded nothing(Why why) { return {std::monostate(), why}; }

Decoded within_limits(const PointSpec& spec, Value value) {
  if (spec.min || spec.max) {
    const double number = as_double(value);
    if ((spec.min && number < *spec.min) || (spec.max && number > *spec.max)) {
      return {std::move(value), Why::out_of_range};
    }
  }
  return {std::move(value), Why::none};
}

const std::string* known_name(const PointSpec& spec, std::uint64_t raw) {
  const auto found = spec.names.find(raw);
  return found != spec.names.end() ? &found->second : nullptr;
}

Decoded whole(const PointSpec& spec, Whole raw, const Power& power) {
  if (!spec.names.empty()) {
    if (const auto* text = known_name(spec, static_cast<std::uint64_t>(raw)))
      return {*text, Why::none};
  }
  if (is_scaled(spec, power)) return within_limits(spec, scaled(spec, raw, power));
  if (raw < 0) return within_limits(spec, static_cast<std::int64_t>(raw));
  return within_limits(spec, static_cast<std::uint64_t>(raw));
}

// Signed types are int64 also where they are positive, so that a point keeps its type.
Decoded whole_signed(const PointSpec& spec, std::int64_t raw, const Power& power) {
  if (spec.names.empty() && !is_scaled(spec, power)) return within_limits(spec, raw);
  return whole(spec, raw, power);
}

// Also a number that only its scale makes infinite is no number.
template <class Float>
Decoded real(const PointSpec& spec, Float raw, std::int8_t shortest, const Power& power) {
  Real value{static_cast<double>(raw), shortest};
  if (std::isfinite(raw) && is_scaled(spec, power)) value = scaled(spec, raw, power);
  if (!std::isfinite(value.value)) return {value, Why::not_available};
  return within_limits(spec, value);
}

Decoded truth(const PointSpec& spec, bool on) {
  if (const auto* text = known_name(spec, on ? 1 : 0)) return {*text, Why::none};
  return {on, Why::none};
}

// Unfolded in the decimals of the float: 2 - 1.05 is 0.95.
Decoded four_quadrants(const PointSpec& spec, float raw) {
  if (!std::isfinite(raw)) return {Real{raw, Real::kShortestFloat}, Why::not_available};
  if (std::fabs(raw) <= 1) return within_limits(spec, Real{raw, Real::kShortestFloat});
  PointSpec unfold;
  unfold.scale = -1;
  unfold.offset = raw > 0 ? 2 : -2;
  unfold.decimals = 0;
  if (!power_factor(raw)) return {Real{raw, Real::kShortestFloat}, Why::out_of_range};
  return within_limits(spec, scaled(unfold, raw, std::nullopt));
}

Decoded bcd(const PointSpec& spec, std::uint64_t raw, int digits, const Power& power) {
  std::uint64_t value = 0;
  for (int at = digits - 1; at >= 0; --at) {
    const auto digit = raw >> 4 * at & 0xF;
    if (digit > 9) return nothing(Why::not_available);
    value = 10 * value + digit;
  }
  return whole(spec, value, power);
}

Decoded mod10k(const PointSpec& spec, Words words, const Power& power) {
  std::uint64_t value = 0;
  for (std::size_t at = words.size(); at-- > 0;) {
    if (words[at] > 9999) return nothing(Why::not_available);
    value = 10000 * value + words[at];
  }
  return whole(spec, value, power);
}

Decoded some_bits(const PointSpec& spec, std::uint64_t raw, const Power& power) {
  if (spec.shift >= 16 * spec.count) return nothing(Why::invalid);
  std::uint64_t value = raw >> spec.shift;
  if (spec.width > 0 && spec.width < 64) value &= (std::uint64_t{1} << spec.width) - 1;
  return whole(spec, value, power);
}

std::string raw_text(Words words, Chars chars) {
  std::string text;
  for (const auto word : words) {
    const auto high = static_cast<char>(word >> 8);
    const auto low = static_cast<char>(word & 0xFF);
    if (chars == Chars::both || chars == Chars::high) text += high;
    if (chars != Chars::high) text += low;
    if (chars == Chars::swapped) text += high;
  }
  return text;
}

Decoded text(const PointSpec& spec, Words words) {
  const std::string raw = raw_text(words, spec.chars);
  std::string_view left = raw;
  left = left.substr(0, left.find('\0'));
  while (!left.empty() && left.back() == ' ') left.remove_suffix(1);
  std::string valid;
  while (!left.empty()) {
    const std::size_t length = utf8_length(left);
    valid += length > 0 ? left.substr(0, length) : std::string_view("\uFFFD");
    left.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return {std::move(valid), Why::none};
}

std::uint64_t number(const ByteVector& mark) {
  std::uint64_t value = 0;
  for (const auto byte : mark) value = value << 8 | byte;
  return value;
}

// A mark of a text is repeated over it ("00" is an empty one); a mark of a half register has one
// byte.
bool is_marked(const PointSpec& spec, Words words, std::uint64_t raw) {
  for (const auto& mark : spec.not_available) {
    if (mark.empty()) continue;
    if (spec.type == DataType::string) {
      const std::string bytes = raw_text(words, Chars::both);
      std::size_t at = 0;
      const auto repeated = [&](char c) {
        return static_cast<std::uint8_t>(c) == mark[at++ % mark.size()];
      };
      if (bytes.size() >= mark.size() && std::ranges::all_of(bytes, repeated)) return true;
    } else if (mark.size() == 2 * words.size()) {
      if (raw == number(mark)) return true;
    } else if (mark.size() == 1) {
      const bool high = spec.type == DataType::uint8h || spec.type == DataType::int8h;
      const bool low = spec.type == DataType::uint8l || spec.type == DataType::int8l;
      if ((high && (raw >> 8) == mark[0]) || (low && (raw & 0xFF) == mark[0])) return true;
    }
  }
  return false;
}

}  // namespace

std::string_view to_string(Why why) {
  switch (why) {
    case Why::none:
      return "none";
    case Why::not_available:
      return "not_available";
    case Why::out_of_range:
      return "out_of_range";
    case Why::invalid:
      return "invalid";
  }
  return "unknown";
}

std::optional<Chars> parse_chars(std::string_view name) {
  if (name == "swapped") return Chars::swapped;
  if (name == "low") return Chars::low;
  if (name == "high") return Chars::high;
  return std::nullopt;
}

std::uint16_t registers_of(const PointSpec& spec) {
  const bool open = spec.type == DataType::bits || registers_of(spec.type) == 0;
  return open ? spec.count : registers_of(spec.type);
}

Decoded decode(const PointSpec& spec, Words registers, Power power) {
  const auto count = registers_of(spec);
  if (!allows_count(spec.type, count) || registers.size() < count || !is_possible(power))
    return nothing(Why::invalid);
  const Words words = registers.first(count);
  const bool in_order = spec.type == DataType::string || spec.type == DataType::mod10k;
  const std::uint64_t raw =
      gather(words.first(std::min<std::size_t>(count, 4)), in_order ? ByteOrder::big : spec.order);
  if (!spec.not_available.empty() && is_marked(spec, words, raw))
    return nothing(Why::not_available);

  switch (spec.type) {
    case DataType::boolean:
      return truth(spec, raw != 0);
    case DataType::bit:
      return truth(spec, (raw >> (spec.bit & 15) & 1) != 0);
    case DataType::bits:
      return some_bits(spec, raw, power);
    case DataType::int16:
    case DataType::sunssf:
      return whole_signed(spec, static_cast<std::int16_t>(raw), power);
    case DataType::int32:
      return whole_signed(spec, static_cast<std::int32_t>(raw), power);
    case DataType::int64:
      return whole_signed(spec, static_cast<std::int64_t>(raw), power);
    case DataType::int8h:
      return whole_signed(spec, static_cast<std::int8_t>(raw >> 8), power);
    case DataType::int8l:
      return whole_signed(spec, static_cast<std::int8_t>(raw), power);
    case DataType::signmag16: {
      const auto size = static_cast<std::int64_t>(raw & 0x7FFF);
      return whole_signed(spec, (raw & 0x8000) != 0 ? -size : size, power);
    }
    case DataType::uint8h:
      return whole(spec, raw >> 8, power);
    case DataType::uint8l:
      return whole(spec, raw & 0xFF, power);
    case DataType::uint16:
    case DataType::uint32:
    case DataType::uint64:
    case DataType::acc32:
    case DataType::enum16:
    case DataType::bitfield32:
      return whole(spec, raw, power);
    case DataType::float16:
      return real(spec, from_half(static_cast<std::uint16_t>(raw)), Real::kShortestFloat, power);
    case DataType::float32:
      return real(spec, std::bit_cast<float>(static_cast<std::uint32_t>(raw)), Real::kShortestFloat,
                  power);
    case DataType::float64:
      return real(spec, std::bit_cast<double>(raw), Real::kShortest, power);
    case DataType::pf4q:
      return four_quadrants(spec, std::bit_cast<float>(static_cast<std::uint32_t>(raw)));
    case DataType::bcd16:
      return bcd(spec, raw, 4, power);
    case DataType::bcd32:
      return bcd(spec, raw, 8, power);
    case DataType::mod10k:
      return mod10k(spec, words, power);
    case DataType::string:
      return text(spec, words);
  }
  return nothing(Why::invalid);
}

}  // namespace lightship::modbus
