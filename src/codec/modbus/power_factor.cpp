// Unfolding the four quadrants.
#include "codec/modbus/power_factor.h"

#include <cmath>

namespace lightship::modbus {

std::optional<PowerFactor> power_factor(double raw) {
  using Side = PowerFactor::Side;
  if (!(std::fabs(raw) <= 2)) return std::nullopt;
  if (std::fabs(raw) == 1) return PowerFactor{Side::unity, raw};
  if (std::fabs(raw) < 1) return PowerFactor{Side::lagging, raw};
  return PowerFactor{Side::leading, raw > 0 ? 2 - raw : -2 - raw};
}

std::string_view to_string(PowerFactor::Side side) {
  switch (side) {
    case PowerFactor::Side::lagging:
      return "lagging";
    case PowerFactor::Side::leading:
      return "leading";
    case PowerFactor::Side::unity:
      return "unity";
  }
  return "unknown";
}

}  // namespace lightship::modbus
