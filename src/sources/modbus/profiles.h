// Profiles: sets of quantities, cut from any meter. meters/README.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sources/modbus/config.h"

namespace lightship::poller {

// The points of a profile in the order of the meter's registers; nothing when the meter has no such
// profile. "" is every point. basic_power is a set of quantities, full_power all.
std::vector<std::string> profile_points(const MeterConfig& meter, std::string_view profile);
std::vector<std::string> profile_names(const MeterConfig& meter);

// What one expects of the profile and this meter does not have: "voltage_l2", "energy_export",
// "demand". They are left out, never published as zero.
std::vector<std::string> lacking(const MeterConfig& meter, std::string_view profile);

// The points of the profile whose confidence is single or convention: to be compared with the
// display.
std::vector<std::string> unsure_points(const MeterConfig& meter, std::string_view profile);

}  // namespace lightship::poller
