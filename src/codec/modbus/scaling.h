// value = raw x scale x 10^power + offset, and the way back, without the noise of binary fractions.
#pragma once

#include <cstdint>
#include <optional>

#include "base/value.h"
#include "codec/modbus/decode_value.h"

namespace lightship::modbus {

using Whole = __int128;  // holds int64 and uint64 alike

using Power = std::optional<std::int16_t>;

// SunSpec allows -10..10; beyond it a register holds something else than a scale factor.
constexpr bool is_possible(const Power& power) { return !power || (*power >= -10 && *power <= 10); }

inline bool is_scaled(const PointSpec& spec, const Power& power) {
  return power.has_value() || spec.scale != 1 || spec.offset != 0;
}

// 2301 x 0.1 is 230.1: computed in whole multiples of the last decimal.
Real scaled(const PointSpec& spec, Whole raw, const Power& power);

// `raw` is what the shortest decimal of the float says: 1.5234 kW x 1000 is 1523.4 W.
Real scaled(const PointSpec& spec, float raw, const Power& power);
Real scaled(const PointSpec& spec, double raw, const Power& power);

double unscaled(const PointSpec& spec, double value, const Power& power);

}  // namespace lightship::modbus
