// Half-precision floats.
#include "codec/modbus/words.h"

#include <cmath>
#include <limits>

namespace lightship::modbus {

float from_half(std::uint16_t half) {
  const int exponent = half >> 10 & 0x1F;
  const auto fraction = static_cast<float>(half & 0x3FF);
  const float sign = (half & 0x8000) != 0 ? -1.0f : 1.0f;
  if (exponent == 31)
    return fraction == 0 ? sign * std::numeric_limits<float>::infinity() : std::nanf("");
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

std::uint16_t to_half(float value) {
  const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  if (std::isnan(value)) return 0x7E00;
  const float size = std::fabs(value);
  if (size >= 65520) return sign | 0x7C00;  // halfway above the largest, 65504
  if (size < std::ldexp(1.0f, -14)) {
    return static_cast<std::uint16_t>(
        sign | static_cast<std::uint16_t>(std::nearbyint(std::ldexp(size, 24))));
  }
  int exponent = 0;
  const float fraction = std::frexp(size, &exponent);  // 0.5 <= fraction < 1
  const auto rounded =
      static_cast<std::uint32_t>(std::nearbyint(std::ldexp(fraction, 11)));  // 1024..2048
  // A fraction that rounds up to 2048 carries into the exponent by plain addition.
  return static_cast<std::uint16_t>(sign + (static_cast<std::uint32_t>(exponent + 13) << 10) +
                                    rounded);
}

}  // namespace lightship::modbus
