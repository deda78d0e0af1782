// Values to integers and back.
#include "store/history/number.h"

#include <algorithm>
#include <cmath>

namespace lightship::history {
namespace {

constexpr double kPowers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
// A double holds whole numbers up to here exactly.
constexpr double kMostWhole = 9007199254740992.0;

constexpr unsigned byte_of(Format format) { return static_cast<unsigned>(format); }
constexpr Format scaled(unsigned decimals) {
  return static_cast<Format>(byte_of(Format::scaled) + decimals);
}
constexpr bool is_scaled(Format format) { return byte_of(format) >= 16 && byte_of(format) <= 25; }
constexpr unsigned decimals_of(Format format) {
  return byte_of(format) - (is_scaled(format) ? 16 : 32);
}

// The bits of a float as an integer that grows with it.
std::int64_t in_order(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return (bits & 0x80000000u) != 0 ? -static_cast<std::int64_t>(bits & 0x7fffffffu) - 1
                                   : static_cast<std::int64_t>(bits);
}
float float_in_order(std::int64_t integer) {
  const auto bits = integer < 0 ? static_cast<std::uint32_t>(-(integer + 1)) | 0x80000000u
                                : static_cast<std::uint32_t>(integer);
  return std::bit_cast<float>(bits);
}
std::int64_t in_order(double value) {
  const auto bits = std::bit_cast<std::int64_t>(value);
  return bits < 0 ? -(bits & INT64_MAX) - 1 : bits;
}
double double_in_order(std::int64_t integer) {
  return integer < 0 ? std::bit_cast<double>(-(integer + 1) | INT64_MIN)
                     : std::bit_cast<double>(integer);
}

}  // namespace

Format format_of(const Value& value) {
  switch (value.index()) {
    case 1:
      return Format::truth;
    case 2:
      return Format::i64;
    case 3:
      return Format::u64;
    case 4: {
      const auto& real = std::get<Real>(value);
      if (real.decimals == Real::kShortestFloat) {
        const auto narrow = static_cast<float>(real.value);
        return static_cast<double>(narrow) == real.value || std::isnan(real.value) ? Format::f32
                                                                                   : Format::f64;
      }
      if (real.decimals < 0) return Format::f64;
      const auto decimals = static_cast<unsigned>(std::min<int>(real.decimals, 17));
      if (decimals <= 9 && std::fabs(real.value) * kPowers[decimals] < kMostWhole)
        return scaled(decimals);
      return static_cast<Format>(byte_of(Format::rounded) + decimals);
    }
    case 5:
      return Format::text;
    default:
      return Format::absent;
  }
}

std::int64_t integer_of(Format format, const Value& value) {
  switch (value.index()) {
    case 1:
      return std::get<bool>(value) ? 1 : 0;
    case 2:
      return std::get<std::int64_t>(value);
    case 3:
      return static_cast<std::int64_t>(std::get<std::uint64_t>(value));
    case 4:
      return integer_of(format, std::get<Real>(value).value);
    default:
      return 0;
  }
}

Value value_of(Format format, std::int64_t integer) {
  switch (format) {
    case Format::i64:
      return integer;
    case Format::u64:
      return static_cast<std::uint64_t>(integer);
    case Format::truth:
      return integer != 0;
    case Format::f32:
      return Real{number_of(format, integer), Real::kShortestFloat};
    case Format::f64:
      return Real{number_of(format, integer), Real::kShortest};
    default:
      if (!is_number(format)) return {};
      return Real{number_of(format, integer), static_cast<std::int8_t>(decimals_of(format))};
  }
}

std::int64_t integer_of(Format format, double number) {
  if (is_scaled(format)) return std::llround(number * kPowers[decimals_of(format)]);
  switch (format) {
    case Format::i64:
    case Format::u64:
    case Format::truth:
      return std::llround(number);
    case Format::f32:
      return in_order(static_cast<float>(number));
    default:
      return in_order(number);
  }
}

double number_of(Format format, std::int64_t integer) {
  if (is_scaled(format)) return static_cast<double>(integer) / kPowers[decimals_of(format)];
  switch (format) {
    case Format::i64:
    case Format::truth:
      return static_cast<double>(integer);
    case Format::u64:
      return static_cast<double>(static_cast<std::uint64_t>(integer));
    case Format::f32:
      return static_cast<double>(float_in_order(integer));
    default:
      return double_in_order(integer);
  }
}

Format fitting(Format format, double number) {
  if (format == Format::f32 || format == Format::f64) return format;
  if (!is_number(format) || !std::isfinite(number)) return Format::f64;
  if (is_scaled(format))
    return std::fabs(number) * kPowers[decimals_of(format)] < kMostWhole ? format : Format::f64;
  if (byte_of(format) >= byte_of(Format::rounded)) return Format::f64;
  return std::fabs(number) < kMostWhole ? Format::i64 : Format::f64;
}

Format average_format(Format format) {
  if (format == Format::f32 || format == Format::f64) return format;
  if (is_scaled(format)) return scaled(std::min(decimals_of(format) + 2, 9u));
  return scaled(4);
}

Value shown(Format format, double number) {
  if (std::isnan(number)) return {};
  if (format == Format::f32) return Real{number, Real::kShortestFloat};
  if (is_scaled(format)) return Real{number, static_cast<std::int8_t>(decimals_of(format))};
  if (format == Format::i64) return Real{number, 0};
  return Real{number, Real::kShortest};
}

}  // namespace lightship::history
