// Scaling in decimals.
#include "codec/modbus/scaling.h"

#include <charconv>
#include <cmath>

namespace lightship::modbus {
namespace {

constexpr double kExact = 9007199254740992.0;  // 2^53: below it a double holds every whole number
constexpr int kMostDecimals = 17;

double power_of_ten(int exponent) { return std::pow(10.0, exponent); }

std::optional<std::int64_t> as_whole(double value) {
  const double nearest = std::nearbyint(value);
  if (std::fabs(nearest) >= kExact ||
      std::fabs(value - nearest) > 1e-9 * std::fmax(1, std::fabs(nearest))) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(nearest);
}

int decimals_of_spec(const PointSpec& spec) {
  return spec.decimals >= 0 ? spec.decimals : decimals_of(spec.scale, spec.offset);
}

Real rounded(double value, int decimals) {
  if (decimals < 0 || decimals > kMostDecimals) return {value, Real::kShortest};
  const double step = power_of_ten(decimals);
  if (std::fabs(value) * step < kExact) value = std::nearbyint(value * step) / step;
  return {value, static_cast<std::int8_t>(decimals)};
}

double plain(const PointSpec& spec, double raw, int power) {
  return raw * spec.scale * power_of_ten(power) + spec.offset;
}

template <class Float>
Real scaled_float(const PointSpec& spec, Float raw, const Power& power) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, raw);
  double decimal = static_cast<double>(raw);
  std::from_chars(text, end.ptr, decimal);
  const int of_raw = decimals_of(std::string_view(text, end.ptr));
  const int of_spec = decimals_of_spec(spec);
  const int shift = power.value_or(0);
  const double value = plain(spec, decimal, shift);
  if (of_raw < 0 || of_spec < 0) return {value, Real::kShortest};
  return rounded(value, std::max(of_raw + of_spec - shift, of_spec));
}

}  // namespace

Real scaled(const PointSpec& spec, Whole raw, const Power& power) {
  const int shift = power.value_or(0);
  const int decimals = decimals_of_spec(spec);
  const auto approximate = plain(spec, static_cast<double>(raw), shift);
  if (decimals < 0) return {approximate, Real::kShortest};

  const int all_decimals = shift < 0 ? decimals - shift : decimals;
  const auto scale = as_whole(spec.scale * power_of_ten(decimals));
  const auto offset = as_whole(spec.offset * power_of_ten(decimals));
  const bool fits = std::fabs(approximate) * power_of_ten(all_decimals) < kExact;
  if (!scale || !offset || !fits || all_decimals > kMostDecimals)
    return rounded(approximate, all_decimals);

  const auto ten = static_cast<Whole>(power_of_ten(std::abs(shift)));
  const Whole steps = shift >= 0 ? raw * *scale * ten + *offset : raw * *scale + *offset * ten;
  return {static_cast<double>(steps) / power_of_ten(all_decimals),
          static_cast<std::int8_t>(all_decimals)};
}

Real scaled(const PointSpec& spec, float raw, const Power& power) {
  return scaled_float(spec, raw, power);
}

Real scaled(const PointSpec& spec, double raw, const Power& power) {
  return scaled_float(spec, raw, power);
}

double unscaled(const PointSpec& spec, double value, const Power& power) {
  return (value - spec.offset) / (spec.scale * power_of_ten(power.value_or(0)));
}

}  // namespace lightship::modbus
