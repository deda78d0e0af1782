// Values -> registers: for writes, and for what the gateway lays into its own map.
#include "codec/modbus/encode_value.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "codec/modbus/scaling.h"
#include "codec/modbus/words.h"

namespace lightship::modbus {
namespace {

using Encoded = Result<std::vector<std::uint16_t>>;

struct Limits {
  Whole least, most;
};

constexpr Whole kTenThousand = 10000;

Limits limits_of(const PointSpec& spec) {
  switch (spec.type) {
    case DataType::int16:
    case DataType::sunssf:
      return {INT16_MIN, INT16_MAX};
    case DataType::int32:
      return {INT32_MIN, INT32_MAX};
    case DataType::int64:
      return {INT64_MIN, INT64_MAX};
    case DataType::signmag16:
      return {-0x7FFF, 0x7FFF};
    case DataType::uint16:
    case DataType::enum16:
      return {0, UINT16_MAX};
    case DataType::uint64:
      return {0, UINT64_MAX};
    case DataType::bcd16:
      return {0, 9999};
    case DataType::bcd32:
      return {0, 99999999};
    case DataType::mod10k: {
      Whole most = 1;
      for (int at = 0; at < spec.count; ++at) most *= kTenThousand;
      return {0, most - 1};
    }
    case DataType::uint8h:
    case DataType::uint8l:
      return {0, UINT8_MAX};
    case DataType::int8h:
    case DataType::int8l:
      return {INT8_MIN, INT8_MAX};
    case DataType::bits: {
      const int room = 16 * spec.count - spec.shift;
      const int width = spec.width == 0 ? room : std::min<int>(spec.width, room);
      return {0, (Whole{1} << std::max(width, 0)) - 1};
    }
    default:
      return {0, UINT32_MAX};  // uint32, acc32, bitfield32
  }
}

// The number as it is before it is scaled back, or why there is none.
Result<Whole> whole_of(const PointSpec& spec, const Value& value, const Power& power) {
  if (const auto* name = std::get_if<std::string>(&value)) {
    for (const auto& [number, text] : spec.names) {
      if (text == *name)
        return number > INT64_MAX ? static_cast<Whole>(static_cast<std::int64_t>(number)) : number;
    }
    return fail(Errc::invalid, "'{}' is not a number and not one of the names", *name);
  }
  if (!is_scaled(spec, power)) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
    if (const auto* number = std::get_if<std::uint64_t>(&value)) return *number;
  }
  const double number = unscaled(spec, as_double(value), power);
  if (!(std::fabs(number) < 1e20))
    return fail(Errc::invalid, "{} is no whole number", to_text(value));
  return static_cast<Whole>(std::nearbyint(number));
}

std::uint64_t to_bcd(std::uint64_t value) {
  std::uint64_t out = 0;
  for (int shift = 0; value > 0; shift += 4, value /= 10) out |= value % 10 << shift;
  return out;
}

Encoded whole(const PointSpec& spec, const Value& value, const Power& power) {
  const auto number = whole_of(spec, value, power);
  if (!number) return fail(number.error());
  const auto [least, most] = limits_of(spec);
  if (*number < least || *number > most) {
    return fail(Errc::invalid, "{} does not fit {}", to_text(value), name(spec.type));
  }
  auto raw = static_cast<std::uint64_t>(*number);
  const auto count = registers_of(spec);
  if (spec.type == DataType::mod10k) {
    std::vector<std::uint16_t> words(count);
    for (auto& word : words) {
      word = static_cast<std::uint16_t>(raw % 10000);
      raw /= 10000;
    }
    return words;
  }
  if (spec.type == DataType::signmag16 && *number < 0)
    raw = 0x8000 | static_cast<std::uint64_t>(-*number);
  if (spec.type == DataType::bcd16 || spec.type == DataType::bcd32) raw = to_bcd(raw);
  return scatter(raw, count, spec.order);
}

// A NaN is written as such: a map has to say "no value" somehow.
Encoded real(const PointSpec& spec, const Value& value, const Power& power) {
  if (std::holds_alternative<std::string>(value))
    return fail(Errc::invalid, "'{}' is not a number", to_text(value));
  const double number =
      spec.type == DataType::pf4q ? as_double(value) : unscaled(spec, as_double(value), power);
  const auto unfit = [&] {
    return fail(Errc::invalid, "{} does not fit {}", to_text(value), name(spec.type));
  };
  if (spec.type == DataType::float64)
    return scatter(std::bit_cast<std::uint64_t>(number), 4, spec.order);

  const auto single = static_cast<float>(number);
  if (std::isfinite(number) && !std::isfinite(single)) return unfit();
  if (spec.type == DataType::float16) {
    const auto half = to_half(single);
    if (std::isfinite(number) && !std::isfinite(from_half(half))) return unfit();
    return scatter(half, 1, spec.order);
  }
  if (spec.type == DataType::pf4q && std::fabs(number) > 1) return unfit();
  return scatter(std::bit_cast<std::uint32_t>(single), 2, spec.order);
}

Encoded text(const PointSpec& spec, const Value& value) {
  const auto* characters = std::get_if<std::string>(&value);
  if (characters == nullptr) return fail(Errc::invalid, "{} is not a text", to_text(value));
  const bool one_each = spec.chars == Chars::low || spec.chars == Chars::high;
  const std::size_t room = spec.count * (one_each ? 1u : 2u);
  if (characters->size() > room)
    return fail(Errc::invalid, "{} bytes, there is room for {}", characters->size(), room);

  const auto byte = [&](std::size_t at) {
    return at < characters->size() ? static_cast<std::uint8_t>((*characters)[at]) : std::uint8_t{0};
  };
  std::vector<std::uint16_t> words(spec.count);
  for (std::size_t at = 0; at < words.size(); ++at) {
    std::uint16_t word = 0;
    switch (spec.chars) {
      case Chars::both:
        word = static_cast<std::uint16_t>(byte(2 * at) << 8 | byte(2 * at + 1));
        break;
      case Chars::swapped:
        word = static_cast<std::uint16_t>(byte(2 * at + 1) << 8 | byte(2 * at));
        break;
      case Chars::low:
        word = byte(at);
        break;
      case Chars::high:
        word = static_cast<std::uint16_t>(byte(at) << 8);
        break;
    }
    words[at] = word;
  }
  return words;
}

Encoded truth(const PointSpec& spec, const Value& value) {
  if (std::holds_alternative<std::string>(value)) {
    const auto named = whole_of(spec, value, std::nullopt);
    if (!named) return fail(named.error());
    if (*named != 0 && *named != 1)
      return fail(Errc::invalid, "{} is neither true nor false", to_text(value));
    return std::vector<std::uint16_t>{static_cast<std::uint16_t>(*named)};
  }
  const double number = as_double(value);
  if (number != 0 && number != 1)
    return fail(Errc::invalid, "{} is neither true nor false", to_text(value));
  return std::vector<std::uint16_t>{static_cast<std::uint16_t>(number)};
}

// Those bits of the registers that are the point's own, from bit 0 of the value up.
struct Field {
  int shift = 0;
  std::uint64_t mask = 0;  // before it is shifted
};

std::optional<Field> field_of(const PointSpec& spec) {
  switch (spec.type) {
    case DataType::bit:
      return Field{spec.bit & 15, 1};
    case DataType::bits:
      return Field{spec.shift, static_cast<std::uint64_t>(limits_of(spec).most)};
    case DataType::uint8h:
    case DataType::int8h:
      return Field{8, 0xFF};
    case DataType::uint8l:
    case DataType::int8l:
      return Field{0, 0xFF};
    default:
      return std::nullopt;
  }
}

// A NaN is inside no limits; a name is as good as its number.
bool is_within(const PointSpec& spec, const Value& value) {
  if (std::holds_alternative<std::string>(value)) return true;
  const double number = as_double(value);
  return (!spec.min || number >= *spec.min) && (!spec.max || number <= *spec.max);
}

Result<void> check(const PointSpec& spec, const Value& value, const Power& power) {
  if (!has_value(value) && !is_float(spec.type)) return fail(Errc::invalid, "there is no value");
  if (!allows_count(spec.type, registers_of(spec))) {
    return fail(Errc::invalid, "{} takes {} registers, not {}", name(spec.type),
                allowed_counts(spec.type), spec.count);
  }
  if (!is_possible(power)) return fail(Errc::invalid, "10^{} is no scale factor", *power);
  if (!is_within(spec, value)) {
    return fail(Errc::invalid, "{} is outside {}..{}", to_text(value),
                spec.min ? fmt::to_string(*spec.min) : "",
                spec.max ? fmt::to_string(*spec.max) : "");
  }
  return {};
}

}  // namespace

Laid laid_whole(std::vector<std::uint16_t> values) {
  std::vector<std::uint16_t> mask(values.size(), 0xFFFF);
  return {std::move(values), std::move(mask)};
}

bool Laid::is_whole() const {
  return std::ranges::all_of(mask, [](std::uint16_t bits) { return bits == 0xFFFF; });
}

std::vector<std::uint16_t> Laid::over(std::span<const std::uint16_t> before) const {
  auto merged = values;
  for (std::size_t at = 0; at < merged.size() && at < before.size(); ++at)
    merged[at] = static_cast<std::uint16_t>((before[at] & ~mask[at]) | (values[at] & mask[at]));
  return merged;
}

bool Laid::is_in(std::span<const std::uint16_t> registers) const {
  if (registers.size() != values.size()) return false;
  for (std::size_t at = 0; at < values.size(); ++at) {
    if (((registers[at] ^ values[at]) & mask[at]) != 0) return false;
  }
  return true;
}

Result<Laid> lay_out(const PointSpec& spec, const Value& value, Power power) {
  const auto field = field_of(spec);
  if (!field) {
    auto words = encode_value(spec, value, power);
    if (!words) return fail(words.error());
    return laid_whole(std::move(*words));
  }
  if (auto possible = check(spec, value, power); !possible) return fail(possible.error());
  if (field->mask == 0) return fail(Errc::invalid, "the shift is past the end of the registers");
  std::uint64_t raw = 0;
  if (spec.type == DataType::bit) {
    const auto bit = truth(spec, value);
    if (!bit) return fail(bit.error());
    raw = bit->front();
  } else {
    const auto number = whole_of(spec, value, power);
    if (!number) return fail(number.error());
    const auto [least, most] = limits_of(spec);
    if (*number < least || *number > most) {
      return fail(Errc::invalid, "{} does not fit {}, which holds {} to {}", to_text(value),
                  name(spec.type), static_cast<std::int64_t>(least),
                  static_cast<std::int64_t>(most));
    }
    raw = static_cast<std::uint64_t>(*number) & field->mask;
  }
  const auto count = registers_of(spec);
  return Laid{scatter(raw << field->shift, count, spec.order),
              scatter(field->mask << field->shift, count, spec.order)};
}

Encoded encode_value(const PointSpec& spec, const Value& value, Power power) {
  if (auto possible = check(spec, value, power); !possible) return fail(possible.error());
  switch (spec.type) {
    case DataType::bit:
    case DataType::bits:
    case DataType::uint8h:
    case DataType::uint8l:
    case DataType::int8h:
    case DataType::int8l:
      return fail(Errc::invalid, "{} is a part of its register and cannot be written alone",
                  name(spec.type));
    case DataType::boolean:
      return truth(spec, value);
    case DataType::string:
      return text(spec, value);
    case DataType::float16:
    case DataType::float32:
    case DataType::float64:
    case DataType::pf4q:
      return real(spec, value, power);
    default:
      return whole(spec, value, power);
  }
}

}  // namespace lightship::modbus
