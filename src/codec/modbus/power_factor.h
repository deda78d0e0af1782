// The four-quadrant power factor of Schneider PM5xxx meters: one float that tells the sign of the
// power and whether current lags or leads.
//
// 0..1 is lagging, 1..2 means 2 - x leading, -1..0 negative lagging, -2..-1 means -2 - x leading.
#pragma once

#include <optional>
#include <string_view>

namespace lightship::modbus {

struct PowerFactor {
  enum class Side { lagging, leading, unity } side = Side::unity;
  double value = 1;  // -1..1
};

std::optional<PowerFactor> power_factor(double raw);  // nothing outside -2..2
std::string_view to_string(PowerFactor::Side side);

}  // namespace lightship::modbus
